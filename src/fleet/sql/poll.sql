-- What each instance asks every other second.
SELECT
    value AS revision,
    EXISTS (
        SELECT 1 FROM outrigger.fleet_control
        WHERE back IS NOT NULL AND until <= outrigger.fleet_now()
    ) AS has_over
FROM outrigger.fleet_meta
WHERE name = 'revision'
