-- Version 4: indexes for what people look at: a request by the provider's id, a lane, its dead messages.
CREATE INDEX outrigger_attempt_request_id ON outrigger_attempt (request_id)
    WHERE request_id IS NOT NULL;
-- A lane's messages in their order.
CREATE INDEX outrigger_of_lane ON outrigger_message (lane, seq);
-- A lane's dead messages by reason, with all that is counted.
CREATE INDEX outrigger_dead_of_lane ON outrigger_message (lane, dead_reason, replaced_by, settled, state)
    WHERE state = 'dead';
