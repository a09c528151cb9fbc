SELECT min(not_before) FROM outrigger_message
WHERE state = 'ready' AND lane = ?1 AND priority = ?2 AND not_before > ?3
