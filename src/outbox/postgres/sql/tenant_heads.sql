-- The first of each order key, if it is due.
{heads}
SELECT m.seq, m.tenant, m.not_before - ($5::bigint[])[m.priority + 1] AS due
FROM heads JOIN outrigger.message AS m ON m.seq = heads.seq
WHERE {is_head}
