UPDATE outrigger_attempt SET error = NULL WHERE message = ?1
