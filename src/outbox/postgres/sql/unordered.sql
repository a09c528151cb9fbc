    SELECT * FROM (
        SELECT {content}
        FROM outrigger.message AS m
        WHERE m.state = 'ready' AND m.order_key IS NULL AND m.lane = $1
            AND m.priority = of.priority AND m.not_before <= $2
            AND (m.deadline > $2 OR m.phase = 'hook')
        ORDER BY m.not_before, m.seq
        LIMIT $3
        FOR UPDATE SKIP LOCKED
    ) AS unordered
