-- The first $3 of each priority that are due, and of order keys those of them before which none of their key goes.
SELECT m.seq, m.tenant, m.is_ordered, m.priority, m.not_before - ($5::bigint[])[m.priority + 1] AS due
FROM (VALUES (0), (1), (2)) AS of (priority)
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT m.seq, m.tenant, false AS is_ordered, m.priority, m.not_before
        FROM outrigger.message AS m
        WHERE m.state = 'ready' AND m.order_key IS NULL AND m.lane = $1
            AND m.priority = of.priority AND m.not_before <= $2
            AND (m.deadline > $2 OR m.phase = 'hook')
        ORDER BY m.not_before, m.seq
        LIMIT $3
    ) AS unordered
    UNION ALL
    SELECT m.seq, m.tenant, true AS is_ordered, m.priority, m.not_before
    FROM (
        SELECT d.seq FROM outrigger.message AS d
        WHERE d.state = 'ready' AND d.order_key IS NOT NULL AND d.lane = $1
            AND d.priority = of.priority AND d.not_before <= $2
        ORDER BY d.not_before, d.seq
        LIMIT $3
    ) AS near
    JOIN outrigger.message AS m ON m.seq = near.seq
    WHERE {is_head}
) AS m
