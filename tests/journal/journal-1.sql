CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    snapshot TEXT NOT NULL,            -- Job.to_plain() as JSON
    spec TEXT NOT NULL,                -- path of the spec file
    digest TEXT NOT NULL,              -- of the spec file when it was installed
    backend TEXT NOT NULL,
    scope TEXT NOT NULL,
    host_timezone TEXT NOT NULL,
    installed_at INTEGER NOT NULL,     -- instants are Unix seconds
    settled_until INTEGER NOT NULL,    -- watermark: no slot up to here is due any more
    enabled INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,  -- in a row
    next_due INTEGER,                  -- NULL: look; set only when nothing is due or undelivered
    checked_at INTEGER,                -- when next_due was computed
    zone_file TEXT,                    -- what next_due was computed with
    zone_stamp TEXT
) STRICT;
CREATE TABLE firings (
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL,               -- claimed, open or settled
    owner TEXT NOT NULL,               -- host:pid
    lease_until INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',  -- recorded, closed, missed, failed
    detail TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,  -- that ended in an answer which failed a check
    PRIMARY KEY (job, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE quotes (
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    rate TEXT NOT NULL,
    rate_date TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_time INTEGER,
    observed_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    legs TEXT NOT NULL DEFAULT '[]',   -- [[base, quote, rate], ...]
    PRIMARY KEY (job, slot, base, quote)
) STRICT, WITHOUT ROWID;
CREATE INDEX quotes_by_pair ON quotes (base, quote, rate_date);
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,
    provider TEXT NOT NULL,
    base TEXT NOT NULL DEFAULT '',
    quote TEXT NOT NULL DEFAULT '',
    rate TEXT NOT NULL DEFAULT '',     -- empty where the body gave none
    rate_date TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL,
    body BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE lines (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,              -- absolute path of the output
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX lines_by_target ON lines (target, id);
CREATE TABLE sinks (
    target TEXT PRIMARY KEY,
    position INTEGER NOT NULL DEFAULT 0,  -- end of our last confirmed append
    start INTEGER,                     -- in flight: the append begins here; NULL: none
    inode TEXT NOT NULL DEFAULT '',    -- device:inode of the file then, empty for one yet to be made
    head BLOB NOT NULL DEFAULT x'',    -- in flight: what goes before the lines
    last_line INTEGER                  -- in flight: the last line's id
) STRICT;
INSERT INTO jobs (name, snapshot, spec, digest, backend, scope, host_timezone, installed_at, settled_until, enabled)
VALUES ('usd-inr', '{}', '/etc/jobs.toml', 'd1', 'cron', 'user', 'UTC', 1763600000, 1763700000, 1);
INSERT INTO firings VALUES ('usd-inr', 1763629200, 'settled', 'web:17', 1763629350, 'recorded', '', 1763629201, 0);
INSERT INTO quotes VALUES ('usd-inr', 1763629200, 'USD', 'INR', '95.07', '2025-11-20', 'ecb', NULL, 1763629201, 'published', '[]');
INSERT INTO quarantine (job, slot, provider, base, quote, rate, rate_date, reason, body, at)
VALUES ('usd-inr', 1763629200, 'ecb', 'USD', 'INR', '9507', '2025-11-20', 'a unit slip', x'7b7d', 1763629201),
       ('usd-inr', 1763632800, 'ecb', '', '', '', '', 'not JSON, or cut off', x'7b7d', 1763632801);
INSERT INTO lines (target, job, slot, data) VALUES ('/rates/output.txt', 'usd-inr', 1763629200, x'0a');
PRAGMA user_version = 1;
