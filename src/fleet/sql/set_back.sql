-- Sets back what was wanted for a time. Of two instances at it, the second finds nothing to do.
WITH next AS (
    UPDATE outrigger.fleet_meta SET value = value + 1
    WHERE name = 'revision' AND EXISTS (
        SELECT 1 FROM outrigger.fleet_control
        WHERE back IS NOT NULL AND until <= outrigger.fleet_now()
    )
    RETURNING value
)
UPDATE outrigger.fleet_control control
SET position = back,
    who = 'the fleet',
    why = 'the time that ' || who || ' asked for is over',
    since = outrigger.fleet_now(),
    until = NULL,
    back = NULL,
    revision = next.value
FROM next
WHERE back IS NOT NULL AND until <= outrigger.fleet_now()
RETURNING 1
