-- Of each tenant and priority the first $3 that are due.
WITH RECURSIVE tenants (name) AS (
    SELECT (
        SELECT m.tenant FROM outrigger.message AS m
        WHERE m.state = 'ready' AND m.order_key IS NULL AND m.tenant IS NOT NULL AND m.lane = $1
        ORDER BY m.tenant LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT m.tenant FROM outrigger.message AS m
        WHERE m.state = 'ready' AND m.order_key IS NULL AND m.tenant IS NOT NULL AND m.lane = $1
            AND m.tenant > tenants.name
        ORDER BY m.tenant LIMIT 1
    ) FROM tenants WHERE tenants.name IS NOT NULL
)
SELECT m.seq, m.tenant, m.not_before - ($4::bigint[])[of.priority + 1] AS due
FROM tenants
CROSS JOIN (VALUES (0), (1), (2)) AS of (priority)
CROSS JOIN LATERAL (
    SELECT m.seq, m.tenant, m.not_before FROM outrigger.message AS m
    WHERE m.state = 'ready' AND m.order_key IS NULL AND m.tenant IS NOT NULL AND m.lane = $1
        AND m.tenant = tenants.name AND m.priority = of.priority AND m.not_before <= $2
        AND (m.deadline > $2 OR m.phase = 'hook')
    ORDER BY m.not_before, m.seq
    LIMIT $3
) AS m
WHERE tenants.name IS NOT NULL
