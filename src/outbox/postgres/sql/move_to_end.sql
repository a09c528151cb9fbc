UPDATE outrigger.message SET seq = nextval('outrigger.message_seq') WHERE id = $1::text::uuid
