-- The fleet's tables, version 2: shares of accounts' rates, and what instances say of outages.
CREATE TABLE outrigger.fleet_account (
    name text COLLATE "C" PRIMARY KEY,
    -- How often a lease was given. Whoever gives one has seen all that were given before, or changes nothing.
    version bigint NOT NULL,
    heard bigint NOT NULL
);

-- One row for each integration of each instance. Rates are in millionths of a request a second.
CREATE TABLE outrigger.fleet_share (
    account text COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL,
    used bigint NOT NULL,
    demand bigint NOT NULL,
    rate bigint NOT NULL,
    ends bigint NOT NULL,
    PRIMARY KEY (account, holder)
);

-- A breaker that an instance has found a reason to open. A breaker's key is told as a hash.
CREATE TABLE outrigger.fleet_outage (
    instance text COLLATE "C" NOT NULL,
    integration text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    ends bigint NOT NULL,
    PRIMARY KEY (instance, integration, key)
);

UPDATE outrigger.fleet_meta SET value = 2 WHERE name = 'version'
