-- Version 3: tenants; indexes for what people look for, and for the end of windows.
ALTER TABLE outrigger_message ADD COLUMN tenant TEXT;

CREATE INDEX outrigger_due_tenant ON outrigger_message (lane, tenant, priority, not_before, seq)
    WHERE state = 'ready' AND order_key IS NULL AND tenant IS NOT NULL;
CREATE INDEX outrigger_leased_tenant ON outrigger_message (lane, tenant)
    WHERE state = 'leased' AND tenant IS NOT NULL;

CREATE INDEX outrigger_by_dedup_key ON outrigger_message (dedup_key) WHERE dedup_key IS NOT NULL;
CREATE INDEX outrigger_by_order_key ON outrigger_message (order_key) WHERE order_key IS NOT NULL;
CREATE INDEX outrigger_by_correlation_id ON outrigger_message (correlation_id)
    WHERE correlation_id IS NOT NULL;

CREATE INDEX outrigger_window ON outrigger_message (dedup_until) WHERE dedup_until IS NOT NULL;
DROP INDEX outrigger_done;
CREATE INDEX outrigger_done ON outrigger_message (settled)
    WHERE state IN ('delivered', 'cancelled', 'discarded') AND dedup_until IS NULL;
