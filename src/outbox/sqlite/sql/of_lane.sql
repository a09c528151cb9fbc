FROM outrigger_message INDEXED BY outrigger_of_lane
WHERE lane = ?2 AND seq > ?1
