INSERT INTO outrigger.act (message, action, who, why, at)
SELECT u.message::uuid, $2, $3, $4, $5
FROM unnest($1::text[]) WITH ORDINALITY AS u (message, place)
ORDER BY u.place
