-- For each breaker that somebody says is open: how many say so, and how many have the integration.
SELECT
    outage.integration,
    outage.key,
    count(*) AS open,
    (
        SELECT count(*) FROM outrigger.fleet_instance instance
        WHERE instance.seen > outrigger.fleet_now() - 15000
            AND outage.integration = ANY (instance.integrations)
    ) AS live
FROM outrigger.fleet_outage outage
WHERE outage.ends > outrigger.fleet_now()
GROUP BY outage.integration, outage.key
