SELECT id FROM outrigger_message INDEXED BY outrigger_done
WHERE state IN ('delivered', 'cancelled', 'discarded') AND settled < ?1
    AND (dedup_until IS NULL OR dedup_until <= ?3)
ORDER BY settled LIMIT ?2
