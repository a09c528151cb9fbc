INSERT INTO outrigger_act (message, lane, action, who, why, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
