-- The fleet's tables, version 1. Times are milliseconds since 1970 in UTC, by this server's clock. Columns are only ever
-- added.
CREATE TABLE outrigger.fleet_meta (
    name text PRIMARY KEY,
    value bigint NOT NULL
);

-- The revision counts what people change. Who changes something holds its row until the end of the transaction, so that
-- whoever sees a revision sees all that is older.
INSERT INTO outrigger.fleet_meta VALUES ('version', 1), ('revision', 0);

CREATE FUNCTION outrigger.fleet_now() RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint';

CREATE TABLE outrigger.fleet_control (
    integration text COLLATE "C" NOT NULL,
    control text COLLATE "C" NOT NULL,
    position text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    since bigint NOT NULL,
    -- Until when it is wanted, and the position that it then goes back to by itself.
    until bigint,
    back text,
    revision bigint NOT NULL,
    PRIMARY KEY (integration, control)
);

CREATE TABLE outrigger.fleet_settings (
    integration text COLLATE "C" PRIMARY KEY,
    -- A table of settings, as JSON.
    settings text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    since bigint NOT NULL,
    revision bigint NOT NULL
);

CREATE TABLE outrigger.fleet_instance (
    name text COLLATE "C" PRIMARY KEY,
    host text NOT NULL,
    version text NOT NULL,
    seen bigint NOT NULL,
    revision bigint NOT NULL,
    integrations text[] NOT NULL,
    -- What it doesn't obey, as JSON, and since when there is something.
    troubles text NOT NULL,
    troubled_since bigint
)
