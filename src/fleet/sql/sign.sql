-- This instance is there, and this is what it obeys. Those that gave no sign for a day are taken off the list.
WITH gone AS (
    DELETE FROM outrigger.fleet_instance
    WHERE seen < outrigger.fleet_now() - 86400000 AND name <> $1
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
