SELECT * FROM outrigger_message
WHERE batch_id = ?1 AND batch_id IS NOT NULL AND state IN ('ready', 'leased')
