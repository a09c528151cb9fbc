SELECT {plain}
FROM outrigger.message AS m
WHERE m.state = 'ready' AND m.phase <> 'hook' AND m.deadline <= $1
ORDER BY m.deadline
LIMIT $2
FOR UPDATE SKIP LOCKED
