-- The fleet's tables, version 3: what a position for a time was set over, as JSON, if that was for a time, too.
ALTER TABLE outrigger.fleet_control ADD COLUMN below jsonb;

UPDATE outrigger.fleet_meta SET value = 3 WHERE name = 'version'
