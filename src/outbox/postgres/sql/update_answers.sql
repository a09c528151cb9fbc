UPDATE outrigger.message AS m
SET answer_status = u.status, answer_headers = u.headers, answer_body = u.body
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::text[]) AS u (status, headers, body, id)
WHERE m.id = u.id::uuid
