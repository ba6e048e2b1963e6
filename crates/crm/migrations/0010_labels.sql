-- Runs on SQLite and PostgreSQL alike. What was not understood for sure, and what colleagues say of it.

ALTER TABLE questions ADD COLUMN kind TEXT NOT NULL DEFAULT 'question'; -- question, intent or opt_out
ALTER TABLE questions ADD COLUMN conversation_id TEXT;
ALTER TABLE questions ADD COLUMN language TEXT;
ALTER TABLE questions ADD COLUMN confidence DOUBLE PRECISION; -- of the intent that was guessed, which is the topic
ALTER TABLE questions ADD COLUMN label_kind TEXT; -- intent, fact, new_fact or nothing
ALTER TABLE questions ADD COLUMN label TEXT;
ALTER TABLE questions ADD COLUMN answer TEXT; -- of a new fact
ALTER TABLE questions ADD COLUMN labelled_by TEXT;
ALTER TABLE questions ADD COLUMN labelled_at TEXT;

CREATE INDEX questions_by_kind ON questions (kind, asked_at, id);

-- What the worker's domain has: one row.
CREATE TABLE domain_names (
    id TEXT PRIMARY KEY,
    names TEXT NOT NULL, -- JSON
    at TEXT NOT NULL
);
