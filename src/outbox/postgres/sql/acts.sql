SELECT * FROM outrigger.act WHERE message = $1::text::uuid AND message IS NOT NULL ORDER BY seq
