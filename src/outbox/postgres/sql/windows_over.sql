-- Those whose business key is free again are old as others are.
UPDATE outrigger.message SET dedup_until = NULL
WHERE id = ANY (ARRAY(
    SELECT m.id FROM outrigger.message AS m
    WHERE m.dedup_until IS NOT NULL AND m.dedup_until <= outrigger.now_millis()
    ORDER BY m.dedup_until
    LIMIT $1
    FOR UPDATE SKIP LOCKED
))
