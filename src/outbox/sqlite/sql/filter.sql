    AND (?2 IS NULL OR lane = ?2) AND (?3 IS NULL OR state = ?3)
    AND (?4 IS NULL OR dead_reason = ?4) AND (?5 IS NULL OR order_key = ?5)
    AND (?6 IS NULL OR created >= ?6) AND (?7 IS NULL OR created < ?7)
    AND (?10 IS NULL OR last_status = ?10)
    AND (
        ?11 IS NULL OR substr(dedup_key, 1, length(?11)) = ?11
        OR substr(order_key, 1, length(?11)) = ?11
    )
    AND (?12 IS NULL OR instr(lower(last_error), lower(?12)) > 0)
