SELECT tenant, count(*) AS number FROM outrigger_message INDEXED BY outrigger_leased_tenant
WHERE state = 'leased' AND tenant IS NOT NULL AND lane = ?1
GROUP BY tenant
