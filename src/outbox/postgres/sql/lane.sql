WITH clock AS MATERIALIZED (SELECT outrigger.now_millis() AS now)
SELECT
    clock.now,
    (SELECT l.paused_until FROM outrigger.lane AS l WHERE l.lane = $1) AS paused_until,
    due.has_due,
    due.next_due
FROM clock
CROSS JOIN LATERAL (
    SELECT
        coalesce(bool_or(level.first_at <= clock.now), false) AS has_due,
        min(level.next_at) AS next_due
    FROM (VALUES (0), (1), (2)) AS of (priority)
    CROSS JOIN LATERAL (
        SELECT
            (
                SELECT m.not_before FROM outrigger.message AS m
                WHERE m.state = 'ready' AND m.lane = $1 AND m.priority = of.priority
                ORDER BY m.not_before LIMIT 1
            ) AS first_at,
            (
                SELECT m.not_before FROM outrigger.message AS m
                WHERE m.state = 'ready' AND m.lane = $1 AND m.priority = of.priority
                    AND m.not_before > clock.now
                ORDER BY m.not_before LIMIT 1
            ) AS next_at
    ) AS level
) AS due
