-- When the contact last said whether messages are wanted: other writes may be newer.
ALTER TABLE contacts ADD COLUMN wants_messages_at TEXT;
