-- Of tenants that have fewer than $3 under way, the $5 messages that go first, as they are chosen among.
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
),
under_way AS MATERIALIZED (
    SELECT m.tenant, count(*) AS number FROM outrigger.message AS m
    WHERE m.state = 'leased' AND m.tenant IS NOT NULL AND m.lane = $1
    GROUP BY m.tenant
),
have_places AS MATERIALIZED (
    SELECT tenants.name, coalesce(under_way.number, 0) AS number
    FROM tenants LEFT JOIN under_way ON under_way.tenant = tenants.name
    WHERE tenants.name IS NOT NULL AND coalesce(under_way.number, 0) < $3
),
ranked AS (
    SELECT m.seq, m.tenant, m.due,
        m.number + row_number() OVER (PARTITION BY m.tenant ORDER BY m.due, m.seq) AS rank
    FROM (
        SELECT m.seq, t.name AS tenant, t.number, m.not_before - ($4::bigint[])[of.priority + 1] AS due
        FROM have_places AS t
        CROSS JOIN (VALUES (0), (1), (2)) AS of (priority)
        CROSS JOIN LATERAL (
            SELECT m.seq, m.not_before FROM outrigger.message AS m
            WHERE m.state = 'ready' AND m.order_key IS NULL AND m.tenant IS NOT NULL AND m.lane = $1
                AND m.tenant = t.name AND m.priority = of.priority AND m.not_before <= $2
                AND (m.deadline > $2 OR m.phase = 'hook')
            ORDER BY m.not_before, m.seq
            LIMIT least($3 - t.number, $5)
        ) AS m
    ) AS m
)
SELECT seq, tenant, due FROM ranked WHERE rank <= $3 ORDER BY rank, due, seq LIMIT $5
