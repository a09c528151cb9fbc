SELECT min(not_before) FROM outrigger_message
WHERE state = 'ready' AND order_key IS NULL AND lane = ?1 AND priority = ?2 AND not_before > ?3
UNION ALL
SELECT min(not_before) FROM outrigger_message
WHERE state = 'ready' AND order_key IS NOT NULL AND lane = ?1 AND priority = ?2 AND not_before > ?3
