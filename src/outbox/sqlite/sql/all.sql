FROM outrigger_message
WHERE seq > ?1
