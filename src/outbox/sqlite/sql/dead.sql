FROM outrigger_message INDEXED BY outrigger_dead
WHERE state = 'dead' AND seq > ?1
