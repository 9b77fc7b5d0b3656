BEGIN TRANSACTION;
CREATE TABLE bodies (
    digest TEXT PRIMARY KEY,           -- SHA-256 of the body
    body BLOB NOT NULL
) STRICT;
INSERT INTO "bodies" VALUES('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',X'7B7D');
CREATE TABLE firings (
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL,               -- claimed, open or settled
    owner TEXT NOT NULL,               -- host/installation
    lease_until INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',  -- recorded, closed, missed, failed
    detail TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,  -- that ended in an answer which failed a check
    closed_pairs TEXT NOT NULL DEFAULT '',  -- those that will have no rate, with blanks between
    PRIMARY KEY (job, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO "firings" VALUES('both',1795165200,'settled','host/8a3ebde9',1795165263,'recorded','',1795165203,0,'');
INSERT INTO "firings" VALUES('both',1795251600,'settled','host/8a3ebde9',1795251663,'recorded','USD/INR was voided: upside down',1795251603,0,'USD/INR');
INSERT INTO "firings" VALUES('usd-inr',1795165200,'settled','host/8a3ebde9',1795165263,'recorded','',1795165203,0,'');
INSERT INTO "firings" VALUES('usd-inr',1795251600,'settled','host/8a3ebde9',1795251663,'recorded','',1795251603,0,'');
INSERT INTO "firings" VALUES('usd-inr',1795338000,'settled','host/8a3ebde9',1795338063,'closed','no rate of the day itself',1795338003,0,'');
INSERT INTO "firings" VALUES('usd-inr',1795424400,'open','host/8a3ebde9',1795424460,'failed','offline',1795424400,0,'');
CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    snapshot TEXT NOT NULL,            -- Job.to_plain() as JSON
    spec TEXT NOT NULL,                -- path of the spec file
    digest TEXT NOT NULL,              -- of the spec file when it was installed
    backend TEXT NOT NULL,
    scope TEXT NOT NULL,
    host_timezone TEXT NOT NULL,
    installed_at INTEGER NOT NULL,   -- instants are Unix seconds
    settled_until INTEGER NOT NULL,  -- watermark: no slot up to here is due any more
    enabled INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,  -- in a row
    failed_at INTEGER NOT NULL DEFAULT 0,  -- when the last of those ended
    paused INTEGER NOT NULL DEFAULT 0,
    next_due INTEGER,                -- NULL: look; set only when nothing is due or undelivered
    checked_at INTEGER,              -- when next_due was computed
    zone_file TEXT,                    -- what next_due was computed with
    zone_stamp TEXT,
    place TEXT NOT NULL DEFAULT '',    -- where in the world, beyond backend and scope, as JSON
    names_pairs INTEGER NOT NULL DEFAULT 0,  -- it had several pairs when it was first installed
    revisited_at INTEGER NOT NULL DEFAULT 0  -- when days marked with an older rate were last looked for
, retry_at INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "jobs" VALUES('usd-inr','{"name": "usd-inr", "schedule_texts": ["every day at 09:00"], "outputs": [{"kind": "text", "target": "/var/rates/output.txt"}], "pairs": [{"base": "USD", "quote": "INR"}], "timezone": "UTC", "providers": [{"name": "ecb", "kind": "ecb", "base_url": "http://127.0.0.1:9", "api_key": "", "timeout": 0, "rate": "", "date": ""}], "start": "", "end": "", "jitter": 0, "catch_up": "latest", "grace": 0, "timeout": 20, "overlap": "skip", "agree": "0", "closed_days": "mark", "notify": [], "notify_after": 1, "ping": "", "enabled": true, "tags": [], "proxy": "", "ca_bundle": "", "journal": "", "kubernetes": null}','/etc/jobs.toml','0','cron','user','UTC',1795078800,1795078800,1,0,0,1,1795424400,0,NULL,NULL,NULL,NULL,'',0,0,1795425300);
INSERT INTO "jobs" VALUES('both','{"name": "both", "schedule_texts": ["every day at 09:00"], "outputs": [{"kind": "csv", "target": "/var/rates/both.csv"}], "pairs": [{"base": "USD", "quote": "INR"}, {"base": "USD", "quote": "JPY"}], "timezone": "UTC", "providers": [{"name": "ecb", "kind": "ecb", "base_url": "http://127.0.0.1:9", "api_key": "", "timeout": 0, "rate": "", "date": ""}], "start": "", "end": "", "jitter": 0, "catch_up": "latest", "grace": 0, "timeout": 20, "overlap": "skip", "agree": "0", "closed_days": "mark", "notify": [], "notify_after": 1, "ping": "", "enabled": true, "tags": [], "proxy": "", "ca_bundle": "", "journal": "", "kubernetes": null}','/etc/jobs.toml','0','cron','user','UTC',1795078800,1795078800,1,0,0,0,0,0,NULL,NULL,NULL,NULL,'',1,0,0);
CREATE TABLE lines (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,              -- path of a file, "sqlite:PATH" or a database's URL
    job TEXT NOT NULL,                 -- empty for what a rotation dropped and is written again
    slot INTEGER NOT NULL,
    data BLOB NOT NULL               -- a line of the file, or a row as JSON
) STRICT;
INSERT INTO "lines" VALUES(1,'/var/rates/output.txt','usd-inr',1795165200,X'32302F31312F32303236202D2039352E3037300A');
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('installation','8a3ebde9');
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    slot INTEGER NOT NULL,           -- the newest that it was held for
    provider TEXT NOT NULL,
    base TEXT NOT NULL DEFAULT '',
    quote TEXT NOT NULL DEFAULT '',
    rate TEXT NOT NULL DEFAULT '',     -- empty where the body gave none
    rate_date TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    digest TEXT NOT NULL DEFAULT '',   -- of the body
    state TEXT NOT NULL DEFAULT 'held',  -- held, accepted or rejected
    decided_at INTEGER,
    seen INTEGER NOT NULL DEFAULT 1,  -- how often the same was held
    facts TEXT NOT NULL DEFAULT '{}'   -- what else the quote was made of, as JSON
) STRICT;
INSERT INTO "quarantine" VALUES(1,'usd-inr',1795424400,'ecb','USD','INR','9507','2026-11-23','a factor of 100, a unit slip',1795424400,'44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','held',NULL,2,'{"provider_time":null,"observed_at":1795424403,"kind":"published","legs":[],"slots":[1795338000,1795424400]}');
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
    supersedes TEXT NOT NULL DEFAULT '',  -- what this provider said before for the same rate date
    PRIMARY KEY (job, slot, base, quote)
) STRICT, WITHOUT ROWID;
INSERT INTO "quotes" VALUES('both',1795165200,'USD','INR','155.20','2026-11-20','frankfurter',NULL,1795165203,'published','[]','95.070');
INSERT INTO "quotes" VALUES('both',1795165200,'USD','JPY','155.20','2026-11-20','frankfurter',NULL,1795165203,'published','[]','');
INSERT INTO "quotes" VALUES('both',1795251600,'USD','JPY','155.30','2026-11-21','frankfurter',NULL,1795338000,'published','[]','0.0105');
INSERT INTO "quotes" VALUES('usd-inr',1795165200,'USD','INR','95.070','2026-11-20','frankfurter',NULL,1795165203,'published','[]','');
INSERT INTO "quotes" VALUES('usd-inr',1795251600,'USD','INR','95.071','2026-11-20','frankfurter',NULL,1795251603,'published','[]','95.070');
CREATE TABLE revisions ( -- numbers that stood in quotes and count no more
    id INTEGER PRIMARY KEY,
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
    legs TEXT NOT NULL,
    supersedes TEXT NOT NULL,
    state TEXT NOT NULL,               -- revised: another number took its place; voided: taken back by hand
    reason TEXT NOT NULL,
    at INTEGER NOT NULL              -- when that was
) STRICT;
INSERT INTO "revisions" VALUES(1,'both',1795251600,'USD','INR','0.0105','2026-11-21','frankfurter',NULL,1795251603,'published','[]','','voided','upside down',1795338000);
INSERT INTO "revisions" VALUES(2,'both',1795251600,'USD','JPY','0.0105','2026-11-21','frankfurter',NULL,1795251603,'published','[]','','revised','the provider corrected it',1795338000);
CREATE TABLE sinks (                   -- one row for each file that we append to
    target TEXT PRIMARY KEY,
    start INTEGER,                   -- in flight: the append begins here; NULL: none
    inode TEXT NOT NULL DEFAULT '',    -- in flight: of the file then
    changed INTEGER NOT NULL DEFAULT 0,  -- in flight: when it had last changed, in nanoseconds
    before_it BLOB NOT NULL DEFAULT x'',  -- in flight: the bytes before the append
    head BLOB NOT NULL DEFAULT x'',  -- in flight: what goes before the lines
    last_line INTEGER,               -- in flight: the last line's id
    position INTEGER NOT NULL DEFAULT 0,  -- end of our last confirmed append
    sent BLOB NOT NULL DEFAULT x'',  -- that append, in case a rotation drops it; empty: none
    sent_inode TEXT NOT NULL DEFAULT '',
    sent_changed INTEGER NOT NULL DEFAULT 0,
    sent_before BLOB NOT NULL DEFAULT x'',
    sent_since INTEGER NOT NULL DEFAULT 0  -- when it was written, or the first of those joined in it
) STRICT;
CREATE TABLE written (   -- of files whose lines carry the rate's day: the last number of each
    target TEXT NOT NULL,              -- as in lines
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    rate_date TEXT NOT NULL,
    rate TEXT NOT NULL,
    PRIMARY KEY (target, base, quote, rate_date)
) STRICT, WITHOUT ROWID;
INSERT INTO "written" VALUES('/var/rates/both.csv','USD','JPY','2026-11-21','155.30');
CREATE INDEX quotes_by_pair ON quotes (base, quote, rate_date, provider, observed_at);
CREATE INDEX quarantine_by_pair ON quarantine (base, quote, provider, id);
CREATE INDEX quarantine_by_body ON quarantine (digest);
CREATE INDEX lines_by_target ON lines (target, id);
CREATE INDEX revisions_by_slot ON revisions (job, slot);
CREATE INDEX revisions_by_pair ON revisions (base, quote, rate_date);
CREATE INDEX quarantine_by_job ON quarantine (job, id);
CREATE INDEX firings_in_trouble ON firings (job, slot) WHERE outcome IN ('failed', 'missed');
PRAGMA user_version = 8;
COMMIT;
