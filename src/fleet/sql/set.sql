-- Stores a control's position. Done a second time, because nobody knows whether the first was, it comes to the same.
WITH next AS (
    UPDATE outrigger.fleet_meta SET value = value + 1 WHERE name = 'revision' RETURNING value
), changed AS (
    INSERT INTO outrigger.fleet_control AS known
        (integration, control, position, who, why, since, until, back, revision)
    SELECT $1, $2, $3, $4, $5, outrigger.fleet_now(), outrigger.fleet_now() + $6, $7, value FROM next
    ON CONFLICT (integration, control) DO UPDATE SET
        position = excluded.position,
        who = excluded.who,
        why = excluded.why,
        since = excluded.since,
        until = excluded.until,
        -- Whoever prolongs it wants what was before the first time.
        back = CASE
            WHEN excluded.back IS NULL THEN NULL
            WHEN known.position = excluded.position THEN coalesce(known.back, excluded.back)
            ELSE known.position
        END,
        revision = excluded.revision
    RETURNING revision
)
SELECT revision FROM changed
