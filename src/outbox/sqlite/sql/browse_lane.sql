SELECT * FROM outrigger_message INDEXED BY outrigger_of_lane
WHERE lane = ?2 AND seq > ?1
    AND (?3 IS NULL OR state = ?3)
    AND (?4 IS NULL OR dead_reason = ?4) AND (?5 IS NULL OR order_key = ?5)
    AND (?6 IS NULL OR created >= ?6) AND (?7 IS NULL OR created < ?7)
ORDER BY seq LIMIT ?8
