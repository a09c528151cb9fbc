INSERT INTO outrigger_lane (lane, paused_until, why, who) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (lane) DO UPDATE SET
    paused_until = excluded.paused_until, why = excluded.why, who = excluded.who
WHERE excluded.who IS NOT NULL OR outrigger_lane.paused_until < excluded.paused_until
