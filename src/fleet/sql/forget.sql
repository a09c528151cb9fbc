-- The fleet says no more about a control, or about an integration's settings.
WITH next AS (
    UPDATE outrigger.fleet_meta SET value = value + 1
    WHERE name = 'revision' AND set_config('lock_timeout', '3s', true) IS NOT NULL
    RETURNING value
), control AS (
    DELETE FROM outrigger.fleet_control WHERE integration = $1 AND control = $2
), settings AS (
    DELETE FROM outrigger.fleet_settings WHERE integration = $1 AND $2 = 'settings'
)
SELECT value AS revision FROM next
