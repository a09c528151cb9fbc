-- For each breaker that somebody says is open: how many say so, and how many have the integration.
SELECT
    outage.integration,
    outage.key,
    count(*) AS open,
    (
        SELECT count(*) FROM outrigger.fleet_instance instance
        WHERE instance.seen BETWEEN outrigger.fleet_now() - 15000 AND outrigger.fleet_now() + 15000
            AND outage.integration = ANY (instance.integrations)
    ) AS live
FROM outrigger.fleet_outage outage
-- What ends later than anything can was told while the clock was ahead.
WHERE outage.ends BETWEEN outrigger.fleet_now() AND outrigger.fleet_now() + 15000
GROUP BY outage.integration, outage.key
