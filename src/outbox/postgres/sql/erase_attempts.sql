UPDATE outrigger.attempt SET error = NULL WHERE message = ANY ($1::text[]::uuid[])
