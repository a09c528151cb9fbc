-- All that the fleet says, in one row at least, which has the revision.
SELECT meta.value AS current, outrigger.fleet_now() AS now, word.*
FROM outrigger.fleet_meta meta
LEFT JOIN (
    SELECT integration, control, position AS word, who, why, since, until, back, revision
    FROM outrigger.fleet_control
    UNION ALL
    SELECT integration, NULL, settings, who, why, since, NULL, NULL, revision
    FROM outrigger.fleet_settings
) word ON true
WHERE meta.name = 'revision'
ORDER BY word.integration, word.control
