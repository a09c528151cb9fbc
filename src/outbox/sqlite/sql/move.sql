UPDATE outrigger_message SET seq = ?2 WHERE id = ?1
