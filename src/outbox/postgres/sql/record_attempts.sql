-- What an attempt came to takes the place of that it was unknown; that a lease was over tells less.
INSERT INTO outrigger.attempt AS a
    (message, number, owner, started, ended, outcome, status, class, request_id, next_at, error)
SELECT u.message::uuid, u.number, u.owner, u.started, u.ended, u.outcome, u.status, u.class, u.request_id, u.next_at,
    u.error
FROM unnest(
    $1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
    $8::text[], $9::text[], $10::bigint[], $11::text[]
) AS u (message, number, owner, started, ended, outcome, status, class, request_id, next_at, error)
ON CONFLICT (message, number) DO UPDATE SET
    owner = excluded.owner, started = excluded.started, ended = excluded.ended,
    outcome = excluded.outcome, status = excluded.status, class = excluded.class,
    request_id = excluded.request_id, next_at = excluded.next_at, error = excluded.error
WHERE excluded.outcome <> 'stale' OR a.outcome = 'unknown'
