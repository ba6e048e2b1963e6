-- Runs on SQLite and PostgreSQL alike. Times are UTC texts of fixed width, so that they sort.

CREATE TABLE contacts (
    id TEXT PRIMARY KEY,
    name TEXT,
    language TEXT,
    opted_out_at TEXT,
    created_by TEXT NOT NULL, -- the message that the contact came from
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE contact_addresses (
    address TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    added_at TEXT NOT NULL
);

CREATE INDEX contact_addresses_by_contact ON contact_addresses (contact_id);

CREATE TABLE leads (
    id TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    conversation_id TEXT NOT NULL,
    intent TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'open',
    created_by TEXT NOT NULL, -- the message that the lead came from
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE INDEX leads_by_contact ON leads (contact_id);

CREATE TABLE lead_fields (
    lead_id TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    message_id TEXT NOT NULL,
    agent TEXT NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    noted_at TEXT NOT NULL,
    PRIMARY KEY (lead_id, name)
);
