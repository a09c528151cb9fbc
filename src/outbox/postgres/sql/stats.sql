WITH clock AS MATERIALIZED (SELECT outrigger.now_millis() AS now)
SELECT
    'ready' AS state, NULL AS dead_reason, count(*) AS number,
    count(*) FILTER (WHERE m.not_before <= (SELECT now FROM clock)) AS due,
    count(*) FILTER (WHERE m.phase = 'poll') AS polling,
    count(*) FILTER (WHERE m.unknown > 0) AS unknown,
    min(m.created) AS oldest
FROM (
    SELECT * FROM outrigger.message WHERE state = 'ready' AND lane = $1 AND order_key IS NULL
    UNION ALL
    SELECT * FROM outrigger.message WHERE state = 'ready' AND lane = $1 AND order_key IS NOT NULL
) AS m
UNION ALL
SELECT
    'leased', NULL, count(*), 0,
    count(*) FILTER (WHERE m.phase = 'poll'),
    count(*) FILTER (WHERE m.unknown > 0),
    min(m.created)
FROM outrigger.message AS m
WHERE m.state = 'leased' AND m.lane = $1
UNION ALL
SELECT 'dead', m.dead_reason, count(*), 0, 0, 0, min(m.settled)
FROM outrigger.message AS m
WHERE m.state = 'dead' AND m.lane = $1 AND m.replaced_by IS NULL
GROUP BY m.dead_reason
