INSERT INTO outrigger_message (
    id, lane, idempotency_key, dedup_key, order_key, correlation_id, traceparent, template,
    method, uri, headers, body, fingerprint, priority, keep_answer, tenant, created, state, phase,
    dead_reason, attempt, max_attempts, hook_attempts, snoozes, unknown, not_before, max_age,
    deadline, key_valid_until, first_attempt, settled, token, lease_owner, lease_until, replays,
    replaced_by, erased, poll_uri, unknown_before, dedup_window, dedup_until, batch_id,
    batch_size
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
    ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38,
    ?39, ?40, ?41, ?42, ?43
) ON CONFLICT DO NOTHING
