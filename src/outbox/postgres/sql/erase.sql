UPDATE outrigger.message SET
    uri = '/', headers = '', body = '', answer_status = NULL, answer_headers = NULL, answer_body = NULL
WHERE id = ANY ($1::text[]::uuid[])
