DELETE FROM outrigger_attempt WHERE message = ?1
