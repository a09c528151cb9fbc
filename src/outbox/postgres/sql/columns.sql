m.seq, m.id, m.lane, m.idempotency_key, m.dedup_key, m.order_key, m.correlation_id, m.traceparent,
m.template, m.method, m.uri, m.fingerprint, m.priority, m.keep_answer, m.tenant, m.created, m.state, m.phase,
m.dead_reason, m.attempt, m.max_attempts, m.hook_attempts, m.snoozes, m.unknown, m.not_before,
m.max_age, m.deadline, m.key_valid_until, m.first_attempt, m.settled, m.token, m.lease_owner,
m.lease_until, m.replays, m.replaced_by, m.erased, m.poll_uri, m.unknown_before, m.dedup_window, m.dedup_until, m.batch_id, m.batch_size,
m.last_status, m.last_error, m.answer_status, m.answer_headers, m.answer_body
