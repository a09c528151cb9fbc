WITH done AS MATERIALIZED (
    SELECT m.id FROM outrigger.message AS m
    WHERE m.state IN ('delivered', 'cancelled', 'discarded') AND m.dedup_until IS NULL AND m.settled < $1
    ORDER BY m.settled
    LIMIT $2
    FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM outrigger.attempt WHERE message = ANY (ARRAY(SELECT done.id FROM done))
)
DELETE FROM outrigger.message WHERE id = ANY (ARRAY(SELECT done.id FROM done))
