DELETE FROM outrigger_lane WHERE lane = ?1
