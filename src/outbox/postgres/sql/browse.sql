SELECT {content}
FROM outrigger.message AS m
WHERE m.seq > $1
    AND ($2::text IS NULL OR $3 = 'dead' AND m.lane = $2 OR ($3 IS NULL OR $3 <> 'dead') AND (m.lane || '') = $2)
    AND {filter}
ORDER BY m.seq
LIMIT $8
