UPDATE outrigger.message SET batch_request = $3
WHERE id = $1::text::uuid AND state = 'leased' AND token = $2
