-- Accounts for a shared journal, with no more rights than each needs. Run once, as an administrator, in the
-- database that the journal is to be in:
--
--   psql -d books -v ON_ERROR_STOP=1 -f roles.sql
--
-- Then let logins join them, and the owner make the tables:
--
--   CREATE ROLE rates LOGIN PASSWORD '...' IN ROLE ratectl_writer;      -- the hosts that record
--   CREATE ROLE viewer LOGIN PASSWORD '...' IN ROLE ratectl_reader;     -- status, history, report
--   CREATE ROLE keeper LOGIN PASSWORD '...' IN ROLE ratectl_owner;      -- makes the tables and brings them to a new version
--   ratectl journal create 'postgresql://keeper@db.example/books?options=-crole%3Dratectl_owner'

BEGIN;
CREATE ROLE ratectl_owner NOLOGIN;
CREATE ROLE ratectl_writer NOLOGIN;
CREATE ROLE ratectl_reader NOLOGIN;

CREATE SCHEMA ratectl_journal AUTHORIZATION ratectl_owner;
REVOKE ALL ON SCHEMA ratectl_journal FROM PUBLIC;
GRANT USAGE ON SCHEMA ratectl_journal TO ratectl_writer, ratectl_reader;

ALTER DEFAULT PRIVILEGES FOR ROLE ratectl_owner IN SCHEMA ratectl_journal
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ratectl_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE ratectl_owner IN SCHEMA ratectl_journal
    GRANT SELECT ON TABLES TO ratectl_reader;
COMMIT;
