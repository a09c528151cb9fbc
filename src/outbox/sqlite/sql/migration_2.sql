-- Version 2: why a settling function failed, and how long a business key stays taken after its message was delivered;
-- batches.
ALTER TABLE outrigger_attempt ADD COLUMN error TEXT;
ALTER TABLE outrigger_message ADD COLUMN dedup_window INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outrigger_message ADD COLUMN dedup_until INTEGER;
ALTER TABLE outrigger_message ADD COLUMN batch_id TEXT;
ALTER TABLE outrigger_message ADD COLUMN batch_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outrigger_message ADD COLUMN batch_request BLOB;

CREATE INDEX outrigger_batch ON outrigger_message (batch_id) WHERE batch_id IS NOT NULL;

DROP INDEX outrigger_dedup;
CREATE UNIQUE INDEX outrigger_dedup ON outrigger_message (lane, dedup_key)
    WHERE dedup_key IS NOT NULL AND replaced_by IS NULL
        AND (state IN ('ready', 'leased', 'dead') OR dedup_until IS NOT NULL);

-- A window that is over takes the key from nobody, also in a transaction of the host's.
CREATE TRIGGER outrigger_dedup_over BEFORE INSERT ON outrigger_message WHEN new.dedup_key IS NOT NULL
BEGIN
    UPDATE outrigger_message SET dedup_until = NULL
    WHERE lane = new.lane AND dedup_key = new.dedup_key AND dedup_until <= new.created
        AND dedup_key IS NOT NULL AND replaced_by IS NULL
        AND (state IN ('ready', 'leased', 'dead') OR dedup_until IS NOT NULL);
END;
