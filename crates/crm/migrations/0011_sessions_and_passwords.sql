-- Runs on SQLite and PostgreSQL alike.

-- SHA-256 of what logins were checked by: a new password ends the session.
ALTER TABLE console_sessions ADD COLUMN password TEXT NOT NULL DEFAULT '';
