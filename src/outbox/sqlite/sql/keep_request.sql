UPDATE outrigger_message SET batch_request = ?1 WHERE seq = ?2
