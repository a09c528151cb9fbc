UPDATE outrigger_message SET answer_status = ?1, answer_headers = ?2, answer_body = ?3
WHERE seq = ?4
