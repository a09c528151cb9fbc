SELECT 1 FROM outrigger_message
WHERE state = 'ready' AND order_key IS NOT NULL AND lane = ?1 AND priority = ?2
    AND not_before <= ?3
ORDER BY not_before, seq
LIMIT 1 OFFSET ?4
