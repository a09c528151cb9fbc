-- Stores the settings of an integration, if they are those that somebody has seen (0: none), or the same already.
WITH next AS (
    UPDATE outrigger.fleet_meta SET value = value + 1
    WHERE name = 'revision' AND set_config('lock_timeout', '3s', true) IS NOT NULL
    RETURNING value
), changed AS (
    INSERT INTO outrigger.fleet_settings (integration, settings, who, why, since, revision)
    SELECT $1, $2, left($3, 500), left($4, 500), outrigger.fleet_now(), value FROM next
    WHERE coalesce($5::bigint, 0) = 0
        OR EXISTS (SELECT FROM outrigger.fleet_settings AS now WHERE now.integration = $1)
    ON CONFLICT (integration) DO UPDATE SET
        settings = excluded.settings,
        who = excluded.who,
        why = excluded.why,
        since = excluded.since,
        revision = excluded.revision
    WHERE $5::bigint IS NULL OR fleet_settings.revision = $5
        OR (fleet_settings.settings, fleet_settings.who) = (excluded.settings, excluded.who)
    RETURNING revision
)
SELECT revision FROM changed
