-- Those of the first ?6 that are due of which none of their key goes before them.
SELECT m.seq, m.not_before, m.tenant FROM (
    SELECT seq, lane, order_key, not_before, tenant FROM outrigger_message
    WHERE state = 'ready' AND order_key IS NOT NULL AND lane = ?1 AND priority = ?2
        AND not_before <= ?3 AND (deadline > ?3 OR phase = 'hook')
    ORDER BY not_before, seq
    LIMIT ?6
) AS m
WHERE NOT EXISTS (
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
LIMIT ?4
