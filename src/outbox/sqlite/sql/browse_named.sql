-- The unary plus keeps the order of pages from being the way to what has the name.
SELECT * FROM outrigger_message
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
    AND (?2 IS NULL OR lane = ?2) AND (?3 IS NULL OR state = ?3)
    AND (?4 IS NULL OR dead_reason = ?4) AND (?5 IS NULL OR order_key = ?5)
    AND (?6 IS NULL OR created >= ?6) AND (?7 IS NULL OR created < ?7)
ORDER BY seq LIMIT ?8
