-- What this instance finds open from now on: all else of its own, and what is long over, goes.
WITH told AS (
    SELECT * FROM unnest($2::text[], $3::text[]) AS told (integration, key)
), over AS (
    -- Two that come back at the same time don't wait for each other.
    SELECT instance, integration, key FROM outrigger.fleet_outage
    WHERE instance <> $1 AND ends < outrigger.fleet_now() - 60000
    FOR UPDATE SKIP LOCKED
), removed AS (
    DELETE FROM outrigger.fleet_outage outage USING over
    WHERE (outage.instance, outage.integration, outage.key) = (over.instance, over.integration, over.key)
), closed AS (
    DELETE FROM outrigger.fleet_outage
    WHERE instance = $1 AND (integration, key) NOT IN (SELECT integration, key FROM told)
)
INSERT INTO outrigger.fleet_outage (instance, integration, key, ends)
SELECT $1, integration, key, outrigger.fleet_now() + $4 FROM told
ON CONFLICT (instance, integration, key) DO UPDATE SET ends = excluded.ends
