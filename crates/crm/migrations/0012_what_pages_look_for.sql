-- Runs on SQLite and PostgreSQL alike.

-- What a worker from before the fourth step noted beside it.
UPDATE leads SET status = 'new' WHERE status = 'open';

-- Lists by what is asked for, each in its order. Leads have no index by their status: SQLite would take it for the
-- open ones, and put all of them in order for each page.
CREATE INDEX handovers_by_status ON handovers (status, created_at, id);
CREATE INDEX leads_open ON leads (created_at, id) WHERE status IN ('new', 'taken');
CREATE INDEX leads_by_owner ON leads (owner, created_at, id) WHERE owner IS NOT NULL;
CREATE INDEX appointments_open ON appointments (created_at, id)
    WHERE status IN ('wanted', 'offered', 'confirmed', 'moved');
CREATE INDEX contacts_by_update ON contacts (updated_at, id);

-- A search reads through these instead of the tables.
CREATE INDEX contacts_by_name ON contacts (name, id);
CREATE INDEX contact_addresses_search ON contact_addresses (address, contact_id);
