WITH act AS (
    INSERT INTO outrigger.act (lane, action, who, why, at)
    VALUES ($1, 'resume', $2, $3, outrigger.now_millis())
)
DELETE FROM outrigger.lane WHERE lane = $1
