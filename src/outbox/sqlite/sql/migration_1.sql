-- The outbox's tables, version 1. Times are milliseconds since 1970 in UTC. Columns are only ever added.
CREATE TABLE IF NOT EXISTS outrigger_meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

CREATE TABLE outrigger_message (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    lane TEXT NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    dedup_key TEXT,
    order_key TEXT,
    correlation_id TEXT,
    traceparent TEXT,
    template TEXT,
    method TEXT NOT NULL,
    uri TEXT NOT NULL,
    headers BLOB NOT NULL,
    body BLOB NOT NULL,
    fingerprint TEXT NOT NULL,
    priority INTEGER NOT NULL,
    keep_answer INTEGER NOT NULL,
    created INTEGER NOT NULL,
    state TEXT NOT NULL,
    phase TEXT NOT NULL,
    dead_reason TEXT,
    attempt INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    hook_attempts INTEGER NOT NULL,
    snoozes INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    max_age INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    key_valid_until INTEGER,
    first_attempt INTEGER,
    settled INTEGER,
    token INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    replays INTEGER NOT NULL,
    replaced_by TEXT,
    erased INTEGER NOT NULL,
    poll_uri TEXT,
    unknown_before INTEGER NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    answer_status INTEGER,
    answer_headers BLOB,
    answer_body BLOB
) STRICT;

CREATE INDEX outrigger_due ON outrigger_message (lane, priority, not_before, seq)
    WHERE state = 'ready' AND order_key IS NULL;
CREATE INDEX outrigger_due_ordered ON outrigger_message (lane, priority, not_before, seq)
    WHERE state = 'ready' AND order_key IS NOT NULL;
CREATE INDEX outrigger_deadline ON outrigger_message (deadline)
    WHERE state = 'ready' AND phase <> 'hook';
CREATE INDEX outrigger_lease ON outrigger_message (lease_until)
    WHERE state = 'leased';
CREATE INDEX outrigger_order_open ON outrigger_message (lane, order_key, seq)
    WHERE order_key IS NOT NULL AND state IN ('ready', 'leased');
CREATE INDEX outrigger_order_leased ON outrigger_message (lane, order_key)
    WHERE order_key IS NOT NULL AND state = 'leased';
CREATE INDEX outrigger_order_dead ON outrigger_message (lane, order_key, seq)
    WHERE order_key IS NOT NULL AND state = 'dead' AND replaced_by IS NULL;
CREATE INDEX outrigger_dead ON outrigger_message (seq, lane, dead_reason, settled)
    WHERE state = 'dead';
CREATE INDEX outrigger_done ON outrigger_message (settled)
    WHERE state IN ('delivered', 'cancelled', 'discarded');
CREATE UNIQUE INDEX outrigger_dedup ON outrigger_message (lane, dedup_key)
    WHERE dedup_key IS NOT NULL AND state IN ('ready', 'leased', 'dead') AND replaced_by IS NULL;

CREATE TABLE outrigger_attempt (
    message TEXT NOT NULL,
    number INTEGER NOT NULL,
    owner TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    status INTEGER,
    class TEXT,
    request_id TEXT,
    next_at INTEGER,
    PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE outrigger_act (
    seq INTEGER PRIMARY KEY,
    message TEXT,
    lane TEXT,
    action TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX outrigger_act_message ON outrigger_act (message) WHERE message IS NOT NULL;

CREATE TABLE outrigger_lane (
    lane TEXT PRIMARY KEY,
    paused_until INTEGER NOT NULL,
    why TEXT NOT NULL,
    who TEXT
) STRICT;
