WITH RECURSIVE keys (name) AS (
    SELECT (
        SELECT o.order_key FROM outrigger.message AS o
        WHERE o.lane = $1 AND o.order_key IS NOT NULL AND o.state IN ('ready', 'leased')
        ORDER BY o.order_key LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT o.order_key FROM outrigger.message AS o
        WHERE o.lane = $1 AND o.order_key > keys.name
            AND o.order_key IS NOT NULL AND o.state IN ('ready', 'leased')
        ORDER BY o.order_key LIMIT 1
    ) FROM keys WHERE keys.name IS NOT NULL
),
heads AS MATERIALIZED (
    SELECT (
        SELECT o.seq FROM outrigger.message AS o
        WHERE o.lane = $1 AND o.order_key = keys.name AND o.order_key IS NOT NULL
            AND o.state IN ('ready', 'leased')
        ORDER BY o.seq LIMIT 1
    ) AS seq
    FROM keys WHERE keys.name IS NOT NULL
)
