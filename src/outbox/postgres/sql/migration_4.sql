-- Version 4: indexes for what people look at: a request by the provider's id, a lane, its dead messages.
CREATE INDEX attempt_request_id ON outrigger.attempt (request_id) WHERE request_id IS NOT NULL;
-- A lane's messages in their order. It is of an expression, so that no plan of a claim takes it.
CREATE INDEX message_of_lane ON outrigger.message ((lane || ''), seq);
-- A lane's dead messages by reason, with all that is counted.
CREATE INDEX message_dead_of_lane ON outrigger.message (lane, dead_reason, seq)
    INCLUDE (replaced_by, settled) WHERE state = 'dead';

UPDATE outrigger.meta SET value = 4 WHERE name = 'version';
