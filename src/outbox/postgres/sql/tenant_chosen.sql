-- As far as nobody has them.
SELECT {content}
FROM outrigger.message AS m
WHERE m.seq = ANY ($1::bigint[]) AND m.state = 'ready' AND m.lane = $2
ORDER BY array_position($1::bigint[], m.seq)
FOR UPDATE SKIP LOCKED
