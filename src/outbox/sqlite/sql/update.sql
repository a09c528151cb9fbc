UPDATE outrigger_message SET
    state = ?1, phase = ?2, dead_reason = ?3, attempt = ?4, max_attempts = ?5,
    hook_attempts = ?6, snoozes = ?7, unknown = ?8, not_before = ?9, max_age = ?10,
    deadline = ?11, key_valid_until = ?12, first_attempt = ?13, settled = ?14, token = ?15,
    lease_owner = ?16, lease_until = ?17, replays = ?18, replaced_by = ?19, erased = ?20,
    poll_uri = ?21, unknown_before = ?22, dedup_window = ?23, dedup_until = ?24, batch_id = ?25,
    batch_size = ?26, last_status = ?27, last_error = ?28,
    batch_request = CASE WHEN ?25 IS NOT NULL THEN batch_request END
WHERE seq = ?29
