SELECT {plain}
FROM outrigger.message AS m WHERE m.id = $1::text::uuid
