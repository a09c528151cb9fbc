-- This instance is there, and this is what it obeys. Those that gave no sign for a day are taken off the list; accounts
-- whose rate nobody has shared for 30 days are forgotten, and what was told of breakers a day ago: a hundred at a time.
WITH gone AS (
    DELETE FROM outrigger.fleet_instance
    WHERE seen < outrigger.fleet_now() - 86400000 AND name <> $1
), unused AS (
    -- Two that look at the same time don't wait for each other.
    SELECT name FROM outrigger.fleet_account
    WHERE heard < outrigger.fleet_now() - 2592000000
    LIMIT 100 FOR UPDATE SKIP LOCKED
), forgotten AS (
    DELETE FROM outrigger.fleet_account account USING unused WHERE account.name = unused.name
), shares AS (
    DELETE FROM outrigger.fleet_share share USING unused WHERE share.account = unused.name
), over AS (
    SELECT instance, integration, key FROM outrigger.fleet_outage
    WHERE ends < outrigger.fleet_now() - 86400000
    LIMIT 100 FOR UPDATE SKIP LOCKED
), outages AS (
    DELETE FROM outrigger.fleet_outage outage USING over
    WHERE (outage.instance, outage.integration, outage.key) = (over.instance, over.integration, over.key)
)
INSERT INTO outrigger.fleet_instance AS known
    (name, host, version, seen, revision, integrations, troubles, troubled_since, controls)
VALUES (
    $1, $2, $3, outrigger.fleet_now(), $4, $5, $6,
    CASE WHEN $6 = '[]' THEN NULL ELSE outrigger.fleet_now() END,
    $7
)
ON CONFLICT (name) DO UPDATE SET
    host = excluded.host,
    version = excluded.version,
    seen = excluded.seen,
    revision = excluded.revision,
    integrations = excluded.integrations,
    troubles = excluded.troubles,
    controls = excluded.controls,
    troubled_since = CASE
        WHEN excluded.troubled_since IS NULL THEN NULL
        ELSE coalesce(known.troubled_since, excluded.troubled_since)
    END
