UPDATE outrigger_message SET seq = (SELECT max(seq) + 1 FROM outrigger_message)
WHERE seq = ?1
