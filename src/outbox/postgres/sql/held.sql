SELECT
    (SELECT outrigger.now_millis()) AS now,
    {columns}, NULL::bytea AS batch_request,
    CASE WHEN m.lane = ANY ($2::text[]) THEN m.headers ELSE '' END AS headers,
    CASE WHEN m.lane = ANY ($2::text[]) THEN m.body ELSE '' END AS body
FROM outrigger.message AS m
WHERE m.id = ANY ($1::text[]::uuid[])
ORDER BY m.id
FOR UPDATE
