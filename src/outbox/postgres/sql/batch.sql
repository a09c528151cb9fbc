-- Those that are open, without those that another worker holds; `open` counts these, too.
SELECT
    (
        SELECT count(*) FROM outrigger.message AS o
        WHERE o.batch_id = $1::text::uuid AND o.batch_id IS NOT NULL AND o.state IN ('ready', 'leased')
    ) AS open,
    {whole}
FROM outrigger.message AS m
WHERE m.batch_id = $1::text::uuid AND m.batch_id IS NOT NULL AND m.state IN ('ready', 'leased')
ORDER BY m.seq
FOR UPDATE SKIP LOCKED
