-- Where none with order keys are due: the server plans it in a third of the time, and does so for each claim.
SELECT m.*
FROM (VALUES (0), (1), (2)) AS of (priority)
CROSS JOIN LATERAL (
    {unordered}
) AS m
ORDER BY m.not_before - ($5::bigint[])[m.priority + 1], m.seq
LIMIT $3
