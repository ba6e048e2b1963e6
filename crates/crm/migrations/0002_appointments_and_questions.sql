-- Runs on SQLite and PostgreSQL alike.

CREATE TABLE appointments (
    id TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    conversation_id TEXT NOT NULL,
    purpose TEXT NOT NULL, -- the goal that it is for
    thing TEXT,
    date TEXT, -- on the calendar of the business: 2026-12-08, or a span 2026-12-07/2026-12-09
    time TEXT, -- on its clock: 14:30, or a span 12:00/18:00
    status TEXT NOT NULL, -- wanted, offered, confirmed, moved or cancelled
    created_by TEXT NOT NULL, -- the message that it came from
    message_id TEXT NOT NULL, -- the message that changed it last
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE INDEX appointments_by_contact ON appointments (contact_id);

CREATE TABLE questions (
    id TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    lead_id TEXT REFERENCES leads (id) ON DELETE CASCADE,
    words TEXT NOT NULL, -- as the customer asked
    topic TEXT NOT NULL,
    message_id TEXT NOT NULL,
    asked_at TEXT NOT NULL
);

CREATE INDEX questions_by_contact ON questions (contact_id);
