SELECT m.* FROM outrigger_message AS m
WHERE m.state = 'ready' AND m.lane = ?1 AND m.priority = ?2 AND m.not_before <= ?3
    AND (m.deadline > ?3 OR m.phase = 'hook')
    AND (m.order_key IS NULL OR (
        NOT EXISTS (
            SELECT 1 FROM outrigger_message AS o
            WHERE o.lane = m.lane AND o.order_key = m.order_key AND o.seq < m.seq
                AND o.order_key IS NOT NULL AND o.state IN ('ready', 'leased')
        ) AND NOT EXISTS (
            SELECT 1 FROM outrigger_message AS o
            WHERE o.lane = m.lane AND o.order_key = m.order_key
                AND o.order_key IS NOT NULL AND o.state = 'leased'
        ) AND (?5 = 0 OR NOT EXISTS (
            SELECT 1 FROM outrigger_message AS o
            WHERE o.lane = m.lane AND o.order_key = m.order_key AND o.seq < m.seq
                AND o.order_key IS NOT NULL AND o.state = 'dead' AND o.replaced_by IS NULL
        ))
    ))
ORDER BY m.not_before, m.seq
LIMIT ?4
