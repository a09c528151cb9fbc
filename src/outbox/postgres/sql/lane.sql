-- Some with order keys are due, if `has_ordered`, and more than $2, if `has_beyond`.
WITH clock AS MATERIALIZED (SELECT outrigger.now_millis() AS now)
SELECT
    clock.now,
    (SELECT l.paused_until FROM outrigger.lane AS l WHERE l.lane = $1) AS paused_until,
    due.has_due,
    due.has_ordered,
    due.has_beyond,
    due.next_due
FROM clock
CROSS JOIN LATERAL (
    SELECT
        coalesce(bool_or(least(level.first_plain, level.first_ordered) <= clock.now), false) AS has_due,
        coalesce(bool_or(level.first_ordered <= clock.now), false) AS has_ordered,
        coalesce(bool_or(level.is_beyond), false) AS has_beyond,
        min(level.next_at) AS next_due
    FROM (VALUES (0), (1), (2)) AS of (priority)
    CROSS JOIN LATERAL (
        SELECT
            (
                SELECT m.not_before FROM outrigger.message AS m
                WHERE m.state = 'ready' AND m.lane = $1 AND m.priority = of.priority
                    AND m.order_key IS NULL
                ORDER BY m.not_before LIMIT 1
            ) AS first_plain,
            (
                SELECT m.not_before FROM outrigger.message AS m
                WHERE m.state = 'ready' AND m.lane = $1 AND m.priority = of.priority
                    AND m.order_key IS NOT NULL
                ORDER BY m.not_before LIMIT 1
            ) AS first_ordered,
            (
                SELECT true FROM outrigger.message AS m
                WHERE m.state = 'ready' AND m.lane = $1 AND m.priority = of.priority
                    AND m.order_key IS NOT NULL AND m.not_before <= clock.now
                ORDER BY m.not_before OFFSET $2 LIMIT 1
            ) AS is_beyond,
            least(
                (
                    SELECT m.not_before FROM outrigger.message AS m
                    WHERE m.state = 'ready' AND m.lane = $1 AND m.priority = of.priority
                        AND m.order_key IS NULL AND m.not_before > clock.now
                    ORDER BY m.not_before LIMIT 1
                ),
                (
                    SELECT m.not_before FROM outrigger.message AS m
                    WHERE m.state = 'ready' AND m.lane = $1 AND m.priority = of.priority
                        AND m.order_key IS NOT NULL AND m.not_before > clock.now
                    ORDER BY m.not_before LIMIT 1
                )
            ) AS next_at
    ) AS level
) AS due
