-- All instances, and since when each is behind. In one row at least, which has the revision.
SELECT
    meta.value AS current,
    instance.*,
    outrigger.fleet_now() AS now,
    (
        SELECT min(word.since)
        FROM (
            SELECT since, revision FROM outrigger.fleet_control
            UNION ALL
            SELECT since, revision FROM outrigger.fleet_settings
        ) word
        WHERE word.revision > instance.revision
    ) AS behind_since
FROM outrigger.fleet_meta meta
LEFT JOIN outrigger.fleet_instance instance ON true
WHERE meta.name = 'revision'
ORDER BY instance.name
