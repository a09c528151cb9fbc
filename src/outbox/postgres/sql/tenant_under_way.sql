SELECT m.tenant, count(*) AS number FROM outrigger.message AS m
WHERE m.state = 'leased' AND m.tenant IS NOT NULL AND m.lane = $1
GROUP BY m.tenant
