SELECT count(*)
FROM outrigger.message AS m
WHERE ($2::text IS NULL OR m.lane = $2)
    AND {filter}
