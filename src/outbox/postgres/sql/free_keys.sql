UPDATE outrigger.message SET dedup_key = NULL WHERE id = ANY ($1::text[]::uuid[])
