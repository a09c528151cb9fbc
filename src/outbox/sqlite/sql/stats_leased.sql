SELECT count(*), count(*) FILTER (WHERE phase = 'poll'), count(*) FILTER (WHERE unknown > 0),
    min(created)
FROM outrigger_message INDEXED BY outrigger_lease
WHERE state = 'leased' AND lane = ?1
