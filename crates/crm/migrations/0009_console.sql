-- Runs on SQLite and PostgreSQL alike. What the console keeps.

-- Who is logged in; who logs out, or is logged out, has no row any more.
CREATE TABLE console_sessions (
    id TEXT PRIMARY KEY, -- SHA-256 of what the browser has
    operator TEXT NOT NULL,
    created_at TEXT NOT NULL,
    seen_at TEXT NOT NULL
);

-- Programs that use its API.
CREATE TABLE console_tokens (
    id TEXT PRIMARY KEY, -- SHA-256 of what the program has
    name TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    used_at TEXT
);

-- Who did what. What names a person goes when the person is erased.
CREATE TABLE console_acts (
    id TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    via TEXT NOT NULL, -- page, api or command
    act TEXT NOT NULL,
    subject TEXT,
    note TEXT,
    contact_id TEXT REFERENCES contacts (id) ON DELETE SET NULL
);

CREATE INDEX console_acts_by_time ON console_acts (at, id);
CREATE INDEX console_acts_by_contact ON console_acts (contact_id);

-- What lists are in the order of.
CREATE INDEX handovers_by_time ON handovers (created_at, id);
CREATE INDEX leads_by_time ON leads (created_at, id);
CREATE INDEX appointments_by_time ON appointments (created_at, id);
CREATE INDEX notices_by_time ON notices (created_at, id);
CREATE INDEX notices_by_subject ON notices (subject);
CREATE INDEX questions_by_time ON questions (asked_at, id);
CREATE INDEX leads_by_conversation ON leads (conversation_id);
