-- Without the requests: what waits for a message asks again and again.
SELECT seq, id, lane, idempotency_key, dedup_key, order_key, correlation_id, traceparent, template, method,
    uri, x'' AS headers, x'' AS body, fingerprint, priority, keep_answer, tenant, created, state, phase,
    dead_reason, attempt, max_attempts, hook_attempts, snoozes, unknown, not_before, max_age, deadline,
    key_valid_until, first_attempt, settled, token, lease_owner, lease_until, replays, replaced_by, erased,
    poll_uri, unknown_before, dedup_window, dedup_until, batch_id, batch_size,
    NULL AS batch_request, last_status, last_error, answer_status,
    answer_headers, answer_body
FROM outrigger_message
