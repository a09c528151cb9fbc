-- The unary plus keeps the order of pages from being the way to what has the name.
FROM outrigger_message
WHERE seq IN (
        SELECT seq FROM outrigger_message WHERE id = ?9
        UNION SELECT seq FROM outrigger_message WHERE idempotency_key = ?9
        UNION SELECT seq FROM outrigger_message WHERE dedup_key = ?9 AND dedup_key IS NOT NULL
        UNION SELECT seq FROM outrigger_message WHERE order_key = ?9 AND order_key IS NOT NULL
        UNION SELECT seq FROM outrigger_message
        WHERE correlation_id = ?9 AND correlation_id IS NOT NULL
        UNION SELECT m.seq FROM outrigger_attempt AS a JOIN outrigger_message AS m ON m.id = a.message
        WHERE a.request_id = ?9 AND a.request_id IS NOT NULL
    )
    AND +seq > ?1
