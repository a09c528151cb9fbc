UPDATE outrigger_message SET headers = x'', body = x'' WHERE seq = ?1
