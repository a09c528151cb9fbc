-- The first of each key, if it is due: for few keys with many messages each.
WITH RECURSIVE keys (name) AS (
    SELECT (
        SELECT min(order_key) FROM outrigger_message
        WHERE lane = ?1 AND order_key IS NOT NULL AND state IN ('ready', 'leased')
    )
    UNION ALL
    SELECT (
        SELECT min(order_key) FROM outrigger_message
        WHERE lane = ?1 AND order_key > keys.name
            AND order_key IS NOT NULL AND state IN ('ready', 'leased')
    ) FROM keys WHERE keys.name IS NOT NULL
)
SELECT m.seq, m.not_before, m.tenant FROM keys CROSS JOIN outrigger_message AS m
WHERE keys.name IS NOT NULL AND m.seq = (
        SELECT min(seq) FROM outrigger_message
        WHERE lane = ?1 AND order_key = keys.name
            AND order_key IS NOT NULL AND state IN ('ready', 'leased')
    )
    AND m.state = 'ready' AND m.priority = ?2 AND m.not_before <= ?3
    AND (m.deadline > ?3 OR m.phase = 'hook')
    AND NOT EXISTS (
        SELECT 1 FROM outrigger_message AS o
        WHERE o.lane = m.lane AND o.order_key = m.order_key
            AND o.order_key IS NOT NULL AND o.state = 'leased'
    ) AND (?5 = 0 OR NOT EXISTS (
        SELECT 1 FROM outrigger_message AS o
        WHERE o.lane = m.lane AND o.order_key = m.order_key AND o.seq < m.seq
            AND o.order_key IS NOT NULL AND o.state = 'dead' AND o.replaced_by IS NULL
    ))
ORDER BY m.not_before, m.seq
LIMIT ?4
