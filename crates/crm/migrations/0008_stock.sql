-- Runs on SQLite and PostgreSQL alike.

-- Where what is for sale comes from, and how its last reading went.
CREATE TABLE stock_feeds (
    name TEXT PRIMARY KEY,
    origin TEXT NOT NULL, -- feed (read by settings), hand (imported) or push
    etag TEXT,
    last_modified TEXT,
    tried_at TEXT NOT NULL,
    read_at TEXT, -- since then all of its items are as they are
    outcome TEXT NOT NULL,
    detail TEXT,
    revision BIGINT NOT NULL -- grows with every change of its items
);

-- What is for sale.
CREATE TABLE stock_items (
    source TEXT NOT NULL REFERENCES stock_feeds (name) ON DELETE CASCADE,
    id TEXT NOT NULL,
    digest TEXT NOT NULL, -- of item
    item TEXT NOT NULL, -- JSON
    PRIMARY KEY (source, id)
);
