UPDATE outrigger_message SET uri = '/', headers = x'', body = x'' WHERE seq = ?1
