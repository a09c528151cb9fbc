SELECT * FROM outrigger_attempt WHERE message = ?1 ORDER BY number
