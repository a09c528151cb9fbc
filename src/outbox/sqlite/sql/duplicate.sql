SELECT id, idempotency_key FROM outrigger_message WHERE idempotency_key = ?1
UNION ALL
SELECT id, idempotency_key FROM outrigger_message
WHERE lane = ?2 AND dedup_key = ?3 AND dedup_key IS NOT NULL AND replaced_by IS NULL
    AND (state IN ('ready', 'leased', 'dead') OR dedup_until IS NOT NULL)
LIMIT 1
