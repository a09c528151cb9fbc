-- The holders of an account, in one row at least, which has the time.
SELECT
    coalesce(account.version, 0) AS version,
    outrigger.fleet_now() AS now,
    share.*
FROM (SELECT $1 AS asked) one
LEFT JOIN outrigger.fleet_account account ON account.name = one.asked
LEFT JOIN outrigger.fleet_share share ON share.account = one.asked
