SELECT count(*), count(*) FILTER (WHERE not_before <= ?3),
    count(*) FILTER (WHERE phase = 'poll'), count(*) FILTER (WHERE unknown > 0), min(created)
FROM outrigger_message
WHERE state = 'ready' AND order_key IS NULL AND lane = ?1 AND priority = ?2
UNION ALL
SELECT count(*), count(*) FILTER (WHERE not_before <= ?3),
    count(*) FILTER (WHERE phase = 'poll'), count(*) FILTER (WHERE unknown > 0), min(created)
FROM outrigger_message
WHERE state = 'ready' AND order_key IS NOT NULL AND lane = ?1 AND priority = ?2
