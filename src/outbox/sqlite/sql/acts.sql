SELECT * FROM outrigger_act WHERE message = ?1 AND message IS NOT NULL ORDER BY seq
