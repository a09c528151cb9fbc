SELECT
    pg_try_advisory_xact_lock(hashtextextended('outrigger.reap', 0)) AS is_mine,
    outrigger.now_millis() AS now
