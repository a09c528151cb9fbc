-- Version 3: tenants; indexes for what people look for, and for the end of windows.
ALTER TABLE outrigger.message ADD COLUMN tenant text COLLATE "C";

CREATE INDEX message_due_tenant ON outrigger.message (lane, tenant, priority, not_before, seq)
    WHERE state = 'ready' AND order_key IS NULL AND tenant IS NOT NULL;
CREATE INDEX message_leased_tenant ON outrigger.message (lane, tenant)
    WHERE state = 'leased' AND tenant IS NOT NULL;

CREATE INDEX message_by_dedup_key ON outrigger.message (dedup_key) WHERE dedup_key IS NOT NULL;
CREATE INDEX message_by_order_key ON outrigger.message (order_key) WHERE order_key IS NOT NULL;
CREATE INDEX message_by_correlation_id ON outrigger.message (correlation_id)
    WHERE correlation_id IS NOT NULL;

CREATE INDEX message_window ON outrigger.message (dedup_until) WHERE dedup_until IS NOT NULL;
DROP INDEX outrigger.message_done;
CREATE INDEX message_done ON outrigger.message (settled)
    WHERE state IN ('delivered', 'cancelled', 'discarded') AND dedup_until IS NULL;

-- As in version 2, with tenants.
CREATE FUNCTION outrigger.enqueue(
    ids text[], lanes text[], keys text[], dedup_keys text[], order_keys text[],
    correlation_ids text[], traceparents text[], templates text[], methods text[], uris text[],
    header_blocks bytea[], bodies bytea[], fingerprints text[], priorities bigint[],
    keep_answers bigint[], attempt_limits bigint[], delays bigint[], max_ages bigint[], phases text[],
    dedup_windows bigint[], tenants text[]
)
RETURNS TABLE (stored_id text, stored_key text, is_duplicate boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    clock bigint;
    stored uuid[];
    free uuid;
BEGIN
    -- Places are given before a commit. Without this, a later message of an order key could be seen, and
    -- sent, before an earlier one whose transaction takes longer.
    PERFORM pg_advisory_xact_lock(wanted.lock)
    FROM (
        SELECT DISTINCT hashtextextended(concat('outrigger.order ', l, ' ', o), 0) AS lock
        FROM unnest(lanes, order_keys) AS u (l, o)
        WHERE o IS NOT NULL
        ORDER BY 1
    ) AS wanted;

    clock := outrigger.now_millis();
    -- A window that is over takes the key from nobody.
    FOR i IN 1 .. cardinality(ids) LOOP
        CONTINUE WHEN dedup_keys[i] IS NULL;
        SELECT m.id INTO free FROM outrigger.message AS m
        WHERE m.lane = lanes[i] AND m.dedup_key = dedup_keys[i] AND m.dedup_key IS NOT NULL AND m.replaced_by IS NULL
            AND (m.state IN ('ready', 'leased', 'dead') OR m.dedup_until IS NOT NULL)
            AND m.dedup_until <= clock;
        IF FOUND THEN
            UPDATE outrigger.message AS m SET dedup_until = NULL
            WHERE m.id = free AND m.dedup_until <= clock;
        END IF;
    END LOOP;
    WITH added AS (
        INSERT INTO outrigger.message (
            id, lane, idempotency_key, dedup_key, order_key, correlation_id, traceparent, template,
            method, uri, headers, body, fingerprint, priority, keep_answer, max_attempts,
            not_before, max_age, created, deadline, phase, dedup_window, tenant
        )
        SELECT
            n.id::uuid, n.lane, n.key, n.dedup_key, n.order_key, n.correlation_id, n.traceparent,
            n.template, n.method, n.uri, n.headers, n.body, n.fingerprint, n.priority, n.keep_answer,
            n.attempts, clock + least(n.delay, 9223372036854775807 - clock), n.max_age, clock,
            clock + least(n.max_age, 9223372036854775807 - clock), n.phase, n.dedup_window, n.tenant
        FROM unnest(
            ids, lanes, keys, dedup_keys, order_keys, correlation_ids, traceparents, templates,
            methods, uris, header_blocks, bodies, fingerprints, priorities, keep_answers,
            attempt_limits, delays, max_ages, phases, dedup_windows, tenants
        ) WITH ORDINALITY AS n (
            id, lane, key, dedup_key, order_key, correlation_id, traceparent, template, method,
            uri, headers, body, fingerprint, priority, keep_answer, attempts, delay, max_age, phase,
            dedup_window, tenant, place
        )
        ORDER BY n.place
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT array_agg(added.id) INTO stored FROM added;

    IF cardinality(stored) = cardinality(ids) THEN
        RETURN QUERY SELECT n.id, n.key, false
        FROM unnest(ids, keys) WITH ORDINALITY AS n (id, key, place) ORDER BY n.place;
        RETURN;
    END IF;
    FOR i IN 1 .. cardinality(ids) LOOP
        stored_id := ids[i];
        stored_key := keys[i];
        is_duplicate := false;
        IF ids[i]::uuid = ANY (stored) THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        -- A new statement sees what another transaction stored while this one waited for it.
        SELECT m.id::text, m.idempotency_key INTO stored_id, stored_key
        FROM outrigger.message AS m
        WHERE m.idempotency_key = keys[i] OR m.id = ids[i]::uuid LIMIT 1;
        IF NOT FOUND THEN
            SELECT m.id::text, m.idempotency_key INTO stored_id, stored_key
            FROM outrigger.message AS m
            WHERE m.lane = lanes[i] AND m.dedup_key = dedup_keys[i] AND m.dedup_key IS NOT NULL AND m.replaced_by IS NULL
                AND (m.state IN ('ready', 'leased', 'dead') OR m.dedup_until IS NOT NULL);
        END IF;
        IF FOUND THEN
            is_duplicate := stored_id <> ids[i];
            RETURN NEXT;
            CONTINUE;
        END IF;
        -- The other one came to its end meanwhile, so that this one is none any more.
        RETURN QUERY SELECT * FROM outrigger.enqueue(
            ids[i:i], lanes[i:i], keys[i:i], dedup_keys[i:i], order_keys[i:i], correlation_ids[i:i],
            traceparents[i:i], templates[i:i], methods[i:i], uris[i:i], header_blocks[i:i],
            bodies[i:i], fingerprints[i:i], priorities[i:i], keep_answers[i:i], attempt_limits[i:i],
            delays[i:i], max_ages[i:i], phases[i:i], dedup_windows[i:i], tenants[i:i]
        );
    END LOOP;
END
$$;

-- For processes of version 2.
CREATE OR REPLACE FUNCTION outrigger.enqueue(
    ids text[], lanes text[], keys text[], dedup_keys text[], order_keys text[],
    correlation_ids text[], traceparents text[], templates text[], methods text[], uris text[],
    header_blocks bytea[], bodies bytea[], fingerprints text[], priorities bigint[],
    keep_answers bigint[], attempt_limits bigint[], delays bigint[], max_ages bigint[], phases text[],
    dedup_windows bigint[]
)
RETURNS TABLE (stored_id text, stored_key text, is_duplicate boolean)
LANGUAGE sql VOLATILE AS $$
    SELECT * FROM outrigger.enqueue(
        ids, lanes, keys, dedup_keys, order_keys, correlation_ids, traceparents, templates,
        methods, uris, header_blocks, bodies, fingerprints, priorities, keep_answers,
        attempt_limits, delays, max_ages, phases, dedup_windows,
        array_fill(NULL::text, ARRAY[cardinality(ids)])
    )
$$;

UPDATE outrigger.meta SET value = 3 WHERE name = 'version';
