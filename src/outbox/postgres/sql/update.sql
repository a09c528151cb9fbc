UPDATE outrigger.message AS m SET
    state = u.state, phase = u.phase, dead_reason = u.dead_reason, attempt = u.attempt,
    max_attempts = u.max_attempts, hook_attempts = u.hook_attempts, snoozes = u.snoozes,
    unknown = u.unknown, not_before = u.not_before, max_age = u.max_age, deadline = u.deadline,
    key_valid_until = u.key_valid_until, first_attempt = u.first_attempt, settled = u.settled,
    token = u.token, lease_owner = u.lease_owner, lease_until = u.lease_until, replays = u.replays,
    replaced_by = u.replaced_by::uuid, erased = u.erased <> 0, poll_uri = u.poll_uri,
    unknown_before = u.unknown_before, dedup_window = u.dedup_window, dedup_until = u.dedup_until,
    batch_id = u.batch_id::uuid, batch_size = u.batch_size, last_status = u.last_status,
    last_error = u.last_error,
    batch_request = CASE WHEN u.batch_id IS NOT NULL THEN m.batch_request END
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
    $14::bigint[], $15::bigint[], $16::text[], $17::bigint[], $18::bigint[], $19::text[],
    $20::bigint[], $21::text[], $22::bigint[], $23::bigint[], $24::bigint[], $25::text[],
    $26::bigint[], $27::bigint[], $28::text[], $29::text[], $30::text[], $31::bigint[]
) AS u (
    state, phase, dead_reason, attempt, max_attempts, hook_attempts, snoozes, unknown, not_before,
    max_age, deadline, key_valid_until, first_attempt, settled, token, lease_owner, lease_until,
    replays, replaced_by, erased, poll_uri, unknown_before, dedup_window, dedup_until, batch_id,
    batch_size, last_status, last_error, id, old_state, old_token
)
WHERE m.id = u.id::uuid AND m.state = u.old_state AND m.token = u.old_token
