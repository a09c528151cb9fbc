DELETE FROM outrigger_message WHERE id = ?1
