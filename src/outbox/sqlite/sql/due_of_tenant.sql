SELECT seq, not_before, tenant FROM outrigger_message
WHERE state = 'ready' AND order_key IS NULL AND tenant IS NOT NULL AND lane = ?1 AND tenant = ?5
    AND priority = ?2 AND not_before <= ?3 AND (deadline > ?3 OR phase = 'hook')
ORDER BY not_before, seq
LIMIT ?4
