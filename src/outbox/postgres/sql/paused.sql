SELECT l.* FROM outrigger.lane AS l
WHERE l.lane = $1 AND l.paused_until > (SELECT outrigger.now_millis())
