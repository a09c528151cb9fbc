m.state = 'ready' AND m.lane = $1 AND m.not_before <= $2 AND (m.deadline > $2 OR m.phase = 'hook')
    AND m.seq = (
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
