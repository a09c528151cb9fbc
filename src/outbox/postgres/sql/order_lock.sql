-- As `outrigger.enqueue` does it: who takes it before any row never waits for it while others wait for that row.
SELECT pg_advisory_xact_lock(hashtextextended(concat('outrigger.order ', $1, ' ', $2), 0))
