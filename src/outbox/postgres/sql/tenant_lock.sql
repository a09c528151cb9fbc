SELECT pg_advisory_xact_lock(hashtextextended(concat('outrigger.tenants ', $1::text), 0))
