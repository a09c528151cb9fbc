-- Stores a control's position. Done a second time, because nobody knows whether the first was, it comes to the same. What
-- waits for others for longer than 3 s isn't stored: nobody waits for it any more.
WITH next AS (
    UPDATE outrigger.fleet_meta SET value = value + 1
    WHERE name = 'revision' AND set_config('lock_timeout', '3s', true) IS NOT NULL
    RETURNING value
), changed AS (
    INSERT INTO outrigger.fleet_control AS known
        (integration, control, position, who, why, since, until, back, revision)
    SELECT $1, $2, $3, left($4, 500), left($5, 500), outrigger.fleet_now(), outrigger.fleet_now() + $6, $7, value FROM next
    ON CONFLICT (integration, control) DO UPDATE SET
        position = excluded.position,
        who = excluded.who,
        why = excluded.why,
        since = excluded.since,
        until = excluded.until,
        -- Whoever prolongs it wants what was before the first time. So does who sets it over what ends sooner.
        back = CASE
            WHEN excluded.back IS NULL THEN NULL
            WHEN known.position = excluded.position OR known.until <= excluded.until
                THEN coalesce(known.back, known.position)
            ELSE known.position
        END,
        below = CASE
            WHEN excluded.back IS NULL THEN NULL
            WHEN known.position = excluded.position OR known.until <= excluded.until
                THEN CASE WHEN known.back IS NOT NULL THEN known.below END
            WHEN known.until IS NOT NULL
                THEN jsonb_build_object(
                    'who', known.who, 'why', known.why,
                    'until', known.until, 'back', known.back, 'below', known.below
                )
        END,
        revision = excluded.revision
    RETURNING revision
)
SELECT revision FROM changed
