-- Locked rows are another worker's. Whether an order key is free is asked of each row by itself, so that
-- the planner never reads all messages for it.
SELECT m.*
FROM (VALUES (0), (1), (2)) AS of (priority)
CROSS JOIN LATERAL (
    SELECT {columns}, m.headers, m.body
    FROM outrigger.message AS m
    WHERE m.state = 'ready' AND m.lane = $1 AND m.priority = of.priority AND m.not_before <= $2
        AND (m.deadline > $2 OR m.phase = 'hook')
        AND (m.order_key IS NULL OR (
            m.seq = (
                SELECT o.seq FROM outrigger.message AS o
                WHERE o.lane = m.lane AND o.order_key = m.order_key AND o.order_key IS NOT NULL
                    AND o.state IN ('ready', 'leased')
                ORDER BY o.seq LIMIT 1
            )
            AND (
                SELECT o.seq FROM outrigger.message AS o
                WHERE o.lane = m.lane AND o.order_key = m.order_key AND o.order_key IS NOT NULL
                    AND o.state = 'leased'
                LIMIT 1
            ) IS NULL
            AND (NOT $4 OR (
                SELECT o.seq FROM outrigger.message AS o
                WHERE o.lane = m.lane AND o.order_key = m.order_key AND o.order_key IS NOT NULL
                    AND o.state = 'dead' AND o.replaced_by IS NULL AND o.seq < m.seq
                LIMIT 1
            ) IS NULL)
        ))
    ORDER BY m.not_before, m.seq
    LIMIT $3
    FOR UPDATE SKIP LOCKED
) AS m
ORDER BY m.not_before - ($5::bigint[])[m.priority + 1], m.seq
LIMIT $3
