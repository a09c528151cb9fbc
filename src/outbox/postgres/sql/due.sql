-- Of order keys, those of the first $6 that are due before which none of their key goes. Locked rows are another
-- worker's. What is asked of each row by itself keeps the planner from reading all messages for it.
SELECT m.*
FROM (VALUES (0), (1), (2)) AS of (priority)
CROSS JOIN LATERAL (
    {unordered}
    UNION ALL
    SELECT * FROM (
        SELECT {content}
        FROM (
            SELECT d.seq FROM outrigger.message AS d
            WHERE d.state = 'ready' AND d.order_key IS NOT NULL AND d.lane = $1
                AND d.priority = of.priority AND d.not_before <= $2
            ORDER BY d.not_before, d.seq
            LIMIT $6
        ) AS near
        JOIN outrigger.message AS m ON m.seq = near.seq
        WHERE {is_head}
        ORDER BY m.not_before, m.seq
        LIMIT $3
        FOR UPDATE OF m SKIP LOCKED
    ) AS ordered
) AS m
ORDER BY m.not_before - ($5::bigint[])[m.priority + 1], m.seq
LIMIT $3
