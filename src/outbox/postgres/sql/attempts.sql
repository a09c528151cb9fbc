SELECT * FROM outrigger.attempt WHERE message = $1::text::uuid ORDER BY number
