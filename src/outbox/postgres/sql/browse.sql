SELECT {content}
FROM outrigger.message AS m
WHERE m.seq > $1
    AND ($2::text IS NULL OR $3 = 'dead' AND m.lane = $2 OR ($3 IS NULL OR $3 <> 'dead') AND (m.lane || '') = $2)
    AND ($3::text IS NULL OR m.state = $3)
    AND ($4::text IS NULL OR m.dead_reason = $4) AND ($5::text IS NULL OR m.order_key = $5)
    AND ($9::text IS NULL OR {named})
    AND ($6::bigint IS NULL OR m.created >= $6) AND ($7::bigint IS NULL OR m.created < $7)
ORDER BY m.seq
LIMIT $8
