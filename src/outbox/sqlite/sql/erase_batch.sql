-- The batch's request holds all of its messages.
UPDATE outrigger_message SET batch_request = NULL WHERE batch_id = ?1 AND batch_id IS NOT NULL
