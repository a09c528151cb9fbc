($3::text IS NULL OR m.state = $3)
    AND ($4::text IS NULL OR m.dead_reason = $4) AND ($5::text IS NULL OR m.order_key = $5)
    AND ($9::text IS NULL OR {named})
    AND ($6::bigint IS NULL OR m.created >= $6) AND ($7::bigint IS NULL OR m.created < $7)
    AND ($11::integer IS NULL OR m.last_status = $11)
    AND ($12::text IS NULL OR starts_with(m.dedup_key, $12) OR starts_with(m.order_key, $12))
    AND (
        $13::text IS NULL
        OR strpos(lower(m.last_error COLLATE "C"), lower($13 COLLATE "C")) > 0
    )
