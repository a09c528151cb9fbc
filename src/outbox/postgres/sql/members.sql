-- All that are still of it, open or not. One that was edited has another place in the order.
SELECT {whole} FROM outrigger.message AS m
WHERE batch_id = $1::text::uuid AND batch_id IS NOT NULL AND replaced_by IS NULL
ORDER BY seq
