-- After roles.sql and `ratectl journal create`: no host changes what another one recorded, or what waits for
-- another one's outputs. Run once, as an administrator, before the first host records:
--
--   psql -d books -v ON_ERROR_STOP=1 -f hosts.sql
--
-- and give each host a login of its own (CREATE ROLE rates1 LOGIN PASSWORD '...' IN ROLE ratectl_writer). A host can
-- still add rates, and take a slot before another one does. Answers, and what was revised, nobody ever changes.

BEGIN;
SET LOCAL search_path = ratectl_journal;
REVOKE INSERT, UPDATE, DELETE ON meta FROM ratectl_writer;
REVOKE UPDATE ON quotes FROM ratectl_writer;
REVOKE UPDATE, DELETE ON bodies, quarantine, revisions FROM ratectl_writer;
GRANT UPDATE (slot, seen, facts, state, decided_at) ON quarantine TO ratectl_writer;

CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN
        IF NEW.facts::jsonb - ''slots'' IS DISTINCT FROM OLD.facts::jsonb - ''slots'' THEN
            RAISE insufficient_privilege USING MESSAGE = ''permission denied for what an answer was made of'';
        END IF;
        RETURN NEW;
    END';
CREATE TRIGGER kept BEFORE UPDATE ON quarantine FOR EACH ROW EXECUTE FUNCTION keep();

ALTER TABLE quotes ADD COLUMN login name NOT NULL DEFAULT session_user;
ALTER TABLE firings ADD COLUMN login name NOT NULL DEFAULT session_user;
ALTER TABLE lines ADD COLUMN login name NOT NULL DEFAULT session_user;
ALTER TABLE sinks ADD COLUMN login name NOT NULL DEFAULT session_user;
ALTER TABLE written ADD COLUMN login name NOT NULL DEFAULT session_user;

CREATE FUNCTION sign() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN NEW.login := session_user; RETURN NEW; END';
CREATE TRIGGER signed BEFORE INSERT ON quotes FOR EACH ROW EXECUTE FUNCTION sign();
CREATE TRIGGER signed BEFORE INSERT OR UPDATE ON firings FOR EACH ROW EXECUTE FUNCTION sign();
CREATE TRIGGER signed BEFORE INSERT OR UPDATE ON lines FOR EACH ROW EXECUTE FUNCTION sign();
CREATE TRIGGER signed BEFORE INSERT OR UPDATE ON sinks FOR EACH ROW EXECUTE FUNCTION sign();
CREATE TRIGGER signed BEFORE INSERT OR UPDATE ON written FOR EACH ROW EXECUTE FUNCTION sign();

ALTER TABLE quotes ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON quotes FOR SELECT USING (true);
CREATE POLICY added ON quotes FOR INSERT TO ratectl_writer WITH CHECK (true);
CREATE POLICY revised ON quotes FOR DELETE TO ratectl_writer USING (login = session_user);

ALTER TABLE firings ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON firings FOR SELECT USING (true);
CREATE POLICY added ON firings FOR INSERT TO ratectl_writer WITH CHECK (true);
CREATE POLICY own ON firings FOR UPDATE TO ratectl_writer USING (
    login = session_user OR state = 'open'
    OR state = 'claimed' AND lease_until < extract(epoch FROM clock_timestamp())
) WITH CHECK (true);
CREATE POLICY taken_back ON firings FOR DELETE TO ratectl_writer USING (login = session_user);

ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE sinks ENABLE ROW LEVEL SECURITY;
ALTER TABLE written ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lines TO ratectl_writer USING (login = session_user);
CREATE POLICY own ON sinks TO ratectl_writer USING (login = session_user);
CREATE POLICY own ON written TO ratectl_writer USING (login = session_user);
CREATE POLICY seen ON lines FOR SELECT TO ratectl_reader USING (true);
CREATE POLICY seen ON sinks FOR SELECT TO ratectl_reader USING (true);
CREATE POLICY seen ON written FOR SELECT TO ratectl_reader USING (true);
COMMIT;
