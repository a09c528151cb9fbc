SELECT min(tenant) FROM outrigger_message
WHERE state = 'ready' AND order_key IS NULL AND tenant IS NOT NULL AND lane = ?1 AND tenant > ?2
