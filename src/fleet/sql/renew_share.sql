-- Gives a lease, unless somebody has given one since version $2: then there is no row. The account's row is locked
-- first. Done a second time, because nobody knows whether the first was, it finds another version. Accounts whose rate
-- nobody has shared for 30 days go, a hundred at a time.
WITH next AS (
    INSERT INTO outrigger.fleet_account AS known (name, version, heard)
    VALUES ($1, 1, outrigger.fleet_now())
    ON CONFLICT (name) DO UPDATE SET
        version = known.version + 1,
        heard = excluded.heard
    WHERE known.version = $2
    RETURNING heard
), shortened AS (
    -- No lease ends later than this, unless the clock was set back.
    UPDATE outrigger.fleet_share SET ends = next.heard + $7 FROM next
    WHERE account = $1 AND holder <> $3 AND ends > next.heard + $7
), forgotten AS (
    DELETE FROM outrigger.fleet_share USING next
    WHERE account = $1 AND holder <> $3 AND ends < next.heard - $8
), unused AS (
    -- Two that look at the same time don't wait for each other.
    SELECT name FROM outrigger.fleet_account
    WHERE name <> $1 AND heard < outrigger.fleet_now() - 2592000000
    LIMIT 100 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM outrigger.fleet_account account USING unused WHERE account.name = unused.name
), shares_gone AS (
    DELETE FROM outrigger.fleet_share share USING unused WHERE share.account = unused.name
)
INSERT INTO outrigger.fleet_share (account, holder, used, demand, rate, ends)
SELECT $1, $3, $4, $5, $6, heard + $7 FROM next
ON CONFLICT (account, holder) DO UPDATE SET
    used = excluded.used,
    demand = excluded.demand,
    rate = excluded.rate,
    ends = excluded.ends
RETURNING 1
