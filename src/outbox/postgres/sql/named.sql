m.seq = ANY (ARRAY(
        SELECT n.seq FROM outrigger.message AS n WHERE n.id = $10::text::uuid
        UNION SELECT n.seq FROM outrigger.message AS n WHERE n.idempotency_key = $9
        UNION SELECT n.seq FROM outrigger.message AS n WHERE n.dedup_key = $9
        UNION SELECT n.seq FROM outrigger.message AS n WHERE n.order_key = $9
        UNION SELECT n.seq FROM outrigger.message AS n WHERE n.correlation_id = $9
    ))
