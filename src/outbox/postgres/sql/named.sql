m.seq = ANY (ARRAY(
        SELECT n.seq FROM outrigger.message AS n WHERE n.id = $10::text::uuid
        UNION SELECT n.seq FROM outrigger.message AS n WHERE n.idempotency_key = $9
        UNION SELECT n.seq FROM outrigger.message AS n WHERE n.dedup_key = $9
        UNION SELECT n.seq FROM outrigger.message AS n WHERE n.order_key = $9
        UNION SELECT n.seq FROM outrigger.message AS n WHERE n.correlation_id = $9
        UNION SELECT n.seq FROM outrigger.attempt AS a JOIN outrigger.message AS n ON n.id = a.message
        WHERE a.request_id = $9
    ))
