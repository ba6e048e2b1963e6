-- Runs on SQLite and PostgreSQL alike.

ALTER TABLE handovers ADD COLUMN unanswered_at TEXT; -- since then it is known that nobody took it in time

-- What colleagues are to be told, written with the fact that it is about.
CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    contact_id TEXT REFERENCES contacts (id) ON DELETE CASCADE,
    conversation_id TEXT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    data TEXT NOT NULL, -- JSON
    at_any_hour TEXT NOT NULL, -- yes or no: whether it waits for the business to open
    created_at TEXT NOT NULL,
    dispatched_at TEXT, -- since then each channel has a row in notice_sends
    grouped_into TEXT -- the notice that this one was told with
);

CREATE INDEX notices_by_contact ON notices (contact_id);
CREATE INDEX notices_by_group ON notices (kind, conversation_id, dispatched_at);

CREATE TABLE notice_sends (
    notice_id TEXT NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    status TEXT NOT NULL, -- pending, sent or failed
    tries BIGINT NOT NULL,
    next_at TEXT NOT NULL,
    held_by TEXT, -- the worker that is at it
    held_until TEXT,
    error TEXT,
    sent_at TEXT,
    PRIMARY KEY (notice_id, channel)
);

CREATE INDEX notice_sends_pending ON notice_sends (status, next_at);

-- How channels do. One that is off gets nothing until somebody turns it on again.
CREATE TABLE notice_channels (
    name TEXT PRIMARY KEY,
    failing_since TEXT,
    off_since TEXT,
    why TEXT
);

-- What only one worker does at a time.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until TEXT NOT NULL
);

-- How much of something was told already.
CREATE TABLE watermarks (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
