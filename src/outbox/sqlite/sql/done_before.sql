SELECT id FROM outrigger_message INDEXED BY outrigger_done
WHERE state IN ('delivered', 'cancelled', 'discarded') AND dedup_until IS NULL AND settled < ?1
ORDER BY settled LIMIT ?2
