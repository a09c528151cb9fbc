-- A worker that stops in the middle of its claim holds up the others of its lane for this long at most, and no wait for it
-- outlives the client that waits.
WITH limits AS MATERIALIZED (
    SELECT set_config('idle_in_transaction_session_timeout', '5s', true),
        set_config('lock_timeout', '2s', true)
)
SELECT pg_advisory_xact_lock(hashtextextended(concat('outrigger.tenants ', $1::text), 0)) FROM limits
