-- What each instance asks every other second.
WITH said AS (
    SELECT since, until, back FROM outrigger.fleet_control
    UNION ALL
    SELECT since, NULL, NULL FROM outrigger.fleet_settings
)
SELECT
    value AS revision,
    (SELECT concat_ws(' ', value, count(*), sum(since)) FROM said) AS stamp,
    EXISTS (
        SELECT 1 FROM said WHERE back IS NOT NULL AND until <= outrigger.fleet_now()
    ) AS has_over
FROM outrigger.fleet_meta
WHERE name = 'revision'
