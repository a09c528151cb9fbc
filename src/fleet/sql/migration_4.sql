-- The fleet's tables, version 4: the controls that an instance has, with their positions, as JSON. Earlier versions don't tell.
ALTER TABLE outrigger.fleet_instance ADD COLUMN controls text;

UPDATE outrigger.fleet_meta SET value = 4 WHERE name = 'version'
