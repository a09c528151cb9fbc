SELECT {columns}, ''::bytea AS headers, ''::bytea AS body
FROM outrigger.message AS m WHERE m.id = $1::text::uuid
