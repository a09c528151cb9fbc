-- The outbox's tables, version 1. Times are milliseconds since 1970 in UTC. Columns are only ever added.
CREATE TABLE outrigger.meta (
    name text PRIMARY KEY,
    value bigint NOT NULL
);

CREATE SEQUENCE outrigger.message_seq;

CREATE TABLE outrigger.message (
    -- The place in the order of enqueueing: an edited message takes that of the one that it replaces.
    seq bigint NOT NULL UNIQUE DEFAULT nextval('outrigger.message_seq'),
    id uuid PRIMARY KEY,
    lane text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL UNIQUE,
    dedup_key text COLLATE "C",
    order_key text COLLATE "C",
    correlation_id text,
    traceparent text,
    template text,
    method text NOT NULL,
    uri text NOT NULL,
    headers bytea NOT NULL,
    body bytea NOT NULL,
    fingerprint text NOT NULL,
    -- 0 is high, 1 normal, 2 low.
    priority smallint NOT NULL,
    keep_answer bigint NOT NULL,
    created bigint NOT NULL,
    state text NOT NULL DEFAULT 'ready',
    phase text NOT NULL DEFAULT 'send',
    dead_reason text,
    attempt bigint NOT NULL DEFAULT 0,
    max_attempts bigint NOT NULL,
    hook_attempts bigint NOT NULL DEFAULT 0,
    snoozes bigint NOT NULL DEFAULT 0,
    unknown bigint NOT NULL DEFAULT 0,
    not_before bigint NOT NULL,
    max_age bigint NOT NULL,
    deadline bigint NOT NULL,
    key_valid_until bigint,
    first_attempt bigint,
    settled bigint,
    token bigint NOT NULL DEFAULT 0,
    lease_owner text,
    lease_until bigint,
    replays bigint NOT NULL DEFAULT 0,
    replaced_by uuid,
    erased boolean NOT NULL DEFAULT false,
    poll_uri text,
    unknown_before bigint NOT NULL DEFAULT 0,
    last_status integer,
    last_error text,
    answer_status integer,
    answer_headers bytea,
    answer_body bytea
);

ALTER SEQUENCE outrigger.message_seq OWNED BY outrigger.message.seq;

CREATE INDEX message_due ON outrigger.message (lane, priority, not_before, seq)
    WHERE state = 'ready' AND order_key IS NULL;
CREATE INDEX message_due_ordered ON outrigger.message (lane, priority, not_before, seq)
    WHERE state = 'ready' AND order_key IS NOT NULL;
CREATE INDEX message_deadline ON outrigger.message (deadline)
    WHERE state = 'ready' AND phase <> 'hook';
CREATE INDEX message_lease ON outrigger.message (lease_until)
    WHERE state = 'leased';
CREATE INDEX message_order_open ON outrigger.message (lane, order_key, seq)
    WHERE order_key IS NOT NULL AND state IN ('ready', 'leased');
CREATE INDEX message_order_dead ON outrigger.message (lane, order_key, seq)
    WHERE order_key IS NOT NULL AND state = 'dead' AND replaced_by IS NULL;
-- Of one order key, one message is with a worker.
CREATE UNIQUE INDEX message_order_leased ON outrigger.message (lane, order_key)
    WHERE order_key IS NOT NULL AND state = 'leased';
CREATE INDEX message_dead ON outrigger.message (lane, seq)
    WHERE state = 'dead';
CREATE INDEX message_done ON outrigger.message (settled)
    WHERE state IN ('delivered', 'cancelled', 'discarded');
CREATE UNIQUE INDEX message_dedup ON outrigger.message (lane, dedup_key)
    WHERE dedup_key IS NOT NULL AND state IN ('ready', 'leased', 'dead') AND replaced_by IS NULL;

CREATE TABLE outrigger.attempt (
    message uuid NOT NULL,
    number bigint NOT NULL,
    owner text NOT NULL,
    started bigint NOT NULL,
    ended bigint NOT NULL,
    outcome text NOT NULL,
    status integer,
    class text,
    request_id text,
    next_at bigint,
    PRIMARY KEY (message, number)
);

CREATE TABLE outrigger.act (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message uuid,
    lane text,
    action text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    at bigint NOT NULL
);

CREATE INDEX act_message ON outrigger.act (message) WHERE message IS NOT NULL;

CREATE TABLE outrigger.lane (
    lane text PRIMARY KEY,
    paused_until bigint NOT NULL,
    why text NOT NULL,
    who text
);

-- The clock of all that is compared.
CREATE FUNCTION outrigger.now_millis() RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- Stores messages, and says for each, in order, which one is stored: that one, or the one that it is a
-- duplicate of. It raises nothing for a duplicate.
CREATE FUNCTION outrigger.enqueue(
    ids text[], lanes text[], keys text[], dedup_keys text[], order_keys text[],
    correlation_ids text[], traceparents text[], templates text[], methods text[], uris text[],
    header_blocks bytea[], bodies bytea[], fingerprints text[], priorities bigint[],
    keep_answers bigint[], attempt_limits bigint[], delays bigint[], max_ages bigint[]
)
RETURNS TABLE (stored_id text, stored_key text, is_duplicate boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    clock bigint;
    stored uuid[];
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
    WITH added AS (
        INSERT INTO outrigger.message (
            id, lane, idempotency_key, dedup_key, order_key, correlation_id, traceparent, template,
            method, uri, headers, body, fingerprint, priority, keep_answer, max_attempts,
            not_before, max_age, created, deadline
        )
        SELECT
            n.id::uuid, n.lane, n.key, n.dedup_key, n.order_key, n.correlation_id, n.traceparent,
            n.template, n.method, n.uri, n.headers, n.body, n.fingerprint, n.priority, n.keep_answer,
            n.attempts, clock + least(n.delay, 9223372036854775807 - clock), n.max_age, clock,
            clock + least(n.max_age, 9223372036854775807 - clock)
        FROM unnest(
            ids, lanes, keys, dedup_keys, order_keys, correlation_ids, traceparents, templates,
            methods, uris, header_blocks, bodies, fingerprints, priorities, keep_answers,
            attempt_limits, delays, max_ages
        ) WITH ORDINALITY AS n (
            id, lane, key, dedup_key, order_key, correlation_id, traceparent, template, method,
            uri, headers, body, fingerprint, priority, keep_answer, attempts, delay, max_age, place
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
            WHERE m.lane = lanes[i] AND m.dedup_key = dedup_keys[i] AND m.dedup_key IS NOT NULL
                AND m.state IN ('ready', 'leased', 'dead') AND m.replaced_by IS NULL;
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
            delays[i:i], max_ages[i:i]
        );
    END LOOP;
END
$$;

INSERT INTO outrigger.meta (name, value) VALUES ('version', 1);
