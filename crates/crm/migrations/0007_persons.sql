-- Two contacts that turn out to be one person are joined; an operator may split them again.

-- 1: an operator split this address from others; no webhook joins it again.
ALTER TABLE contact_addresses ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

-- The audit trail of joins and splits. It goes with the contact.
CREATE TABLE person_changes (
    id TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    change TEXT NOT NULL, -- joined, split
    evidence TEXT NOT NULL, -- the message that proved it, or operator
    detail TEXT NOT NULL, -- JSON: the other contact and its addresses
    changed_at TEXT NOT NULL
);

CREATE INDEX person_changes_by_contact ON person_changes (contact_id);
