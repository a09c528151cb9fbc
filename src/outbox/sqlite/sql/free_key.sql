UPDATE outrigger_message SET dedup_key = NULL WHERE seq = ?1
