-- Stores the settings of an integration.
WITH next AS (
    UPDATE outrigger.fleet_meta SET value = value + 1
    WHERE name = 'revision' AND set_config('lock_timeout', '3s', true) IS NOT NULL
    RETURNING value
), changed AS (
    INSERT INTO outrigger.fleet_settings (integration, settings, who, why, since, revision)
    SELECT $1, $2, left($3, 500), left($4, 500), outrigger.fleet_now(), value FROM next
    ON CONFLICT (integration) DO UPDATE SET
        settings = excluded.settings,
        who = excluded.who,
        why = excluded.why,
        since = excluded.since,
        revision = excluded.revision
    RETURNING revision
)
SELECT revision FROM changed
