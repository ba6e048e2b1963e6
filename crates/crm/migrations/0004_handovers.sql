-- Runs on SQLite and PostgreSQL alike.

CREATE TABLE handovers (
    id TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    conversation_id TEXT NOT NULL,
    status TEXT NOT NULL, -- waiting, taken, answered or closed
    priority TEXT NOT NULL, -- normal or urgent
    reason TEXT NOT NULL,
    last_words TEXT NOT NULL, -- of the customer
    summary TEXT NOT NULL,
    promised_at TEXT, -- what the customer was told: the next opening, or today's closing
    answer_by TEXT NOT NULL,
    owner TEXT, -- the colleague who has it
    created_by TEXT NOT NULL, -- the message that it came from
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE INDEX handovers_by_contact ON handovers (contact_id);
CREATE UNIQUE INDEX handovers_open ON handovers (conversation_id) WHERE status <> 'closed';

-- Who changed a hand-over, a lead or an appointment, and when.
CREATE TABLE changes (
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    at TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    note TEXT
);

CREATE INDEX changes_by_contact ON changes (contact_id);
CREATE INDEX changes_by_subject ON changes (subject, at);

ALTER TABLE leads ADD COLUMN owner TEXT;
ALTER TABLE leads ADD COLUMN completed_at TEXT; -- since then nothing is missing
ALTER TABLE leads ADD COLUMN closed_at TEXT;
UPDATE leads SET status = 'new' WHERE status = 'open';

ALTER TABLE appointments ADD COLUMN owner TEXT;
