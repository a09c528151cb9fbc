WITH act AS (
    INSERT INTO outrigger.act (lane, action, who, why, at)
    SELECT $1, 'pause', $4, $3, outrigger.now_millis() WHERE $4 IS NOT NULL
)
INSERT INTO outrigger.lane AS l (lane, paused_until, why, who) VALUES ($1, $2, $3, $4)
ON CONFLICT (lane) DO UPDATE SET
    paused_until = excluded.paused_until, why = excluded.why, who = excluded.who
WHERE excluded.who IS NOT NULL OR l.paused_until < excluded.paused_until
