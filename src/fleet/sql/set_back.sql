-- Sets back what was wanted for a time. Of two instances at it, the second finds another revision, and does nothing.
WITH next AS (
    UPDATE outrigger.fleet_meta SET value = value + 1
    WHERE name = 'revision' AND value = $1
        AND set_config('lock_timeout', '3s', true) IS NOT NULL
    RETURNING value
)
UPDATE outrigger.fleet_control control
SET position = back,
    who = coalesce(below->>'who', 'the fleet'),
    why = coalesce(below->>'why', 'the time that ' || who || ' asked for is over'),
    since = outrigger.fleet_now(),
    until = (below->>'until')::bigint,
    back = below->>'back',
    below = nullif(below->'below', 'null'),
    revision = next.value
FROM next
WHERE back IS NOT NULL AND until <= outrigger.fleet_now()
RETURNING 1
