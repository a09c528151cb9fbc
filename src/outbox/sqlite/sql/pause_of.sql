SELECT * FROM outrigger_lane WHERE lane = ?1 AND paused_until > ?2
