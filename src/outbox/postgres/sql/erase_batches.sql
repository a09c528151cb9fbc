-- A batch's request holds all of its messages.
UPDATE outrigger.message SET batch_request = NULL
WHERE batch_id IS NOT NULL AND batch_request IS NOT NULL AND batch_id = ANY (ARRAY(
    SELECT m.batch_id FROM outrigger.message AS m WHERE m.id = ANY ($1::text[]::uuid[]) AND m.batch_id IS NOT NULL
))
