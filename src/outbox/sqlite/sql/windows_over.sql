-- Those whose business key is free again are old as others are.
UPDATE outrigger_message SET dedup_until = NULL
WHERE seq IN (
    SELECT seq FROM outrigger_message INDEXED BY outrigger_window
    WHERE dedup_until IS NOT NULL AND dedup_until <= ?1
    ORDER BY dedup_until LIMIT ?2
)
