UPDATE outrigger.message SET seq = $2 WHERE id = $1::text::uuid
