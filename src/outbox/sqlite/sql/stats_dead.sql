SELECT dead_reason, count(*), min(settled) AS oldest
FROM outrigger_message INDEXED BY outrigger_dead_of_lane
WHERE state = 'dead' AND lane = ?1 AND replaced_by IS NULL
GROUP BY dead_reason
