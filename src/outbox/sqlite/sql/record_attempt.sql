INSERT OR REPLACE INTO outrigger_attempt
    (message, number, owner, started, ended, outcome, status, class, request_id, next_at, error)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
