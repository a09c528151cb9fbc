-- Version 4: an index for the provider's ids of requests, which people look for.
CREATE INDEX outrigger_attempt_request_id ON outrigger_attempt (request_id)
    WHERE request_id IS NOT NULL;
