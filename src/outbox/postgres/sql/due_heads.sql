-- The first of each order key, if it is due: for few keys with many messages each.
{heads}
SELECT {content}
FROM heads JOIN outrigger.message AS m ON m.seq = heads.seq
WHERE {is_head}
ORDER BY m.not_before - ($5::bigint[])[m.priority + 1], m.seq
LIMIT $3
FOR UPDATE OF m SKIP LOCKED
