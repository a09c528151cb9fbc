SELECT
    (SELECT outrigger.now_millis()) AS now,
    {plain}
FROM outrigger.message AS m
WHERE m.seq > $1
    AND ($2::text IS NULL OR m.lane = $2)
    AND {filter}
ORDER BY m.seq
LIMIT $8
FOR UPDATE
