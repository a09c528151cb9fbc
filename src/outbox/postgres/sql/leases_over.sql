SELECT {plain}
FROM outrigger.message AS m
WHERE m.state = 'leased' AND m.lease_until <= $1
ORDER BY m.lease_until
LIMIT $2
FOR UPDATE SKIP LOCKED
