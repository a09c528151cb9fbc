UPDATE outrigger_message SET uri = '/', headers = x'', body = x'', batch_request = NULL WHERE seq = ?1
