-- Version 4: an index for the provider's ids of requests, which people look for.
CREATE INDEX attempt_request_id ON outrigger.attempt (request_id) WHERE request_id IS NOT NULL;

UPDATE outrigger.meta SET value = 4 WHERE name = 'version';
