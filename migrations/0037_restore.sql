-- SPDX-License-Identifier: Apache-2.0
-- After a restore: what the feed of changes told behind the backup is lost here, but not to those who read it.

CREATE TABLE change_gap (
    after_position bigint NOT NULL CONSTRAINT change_gap_pkey PRIMARY KEY,
    until_position bigint NOT NULL,
    at             timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT change_gap_is_one CHECK (until_position > after_position)
);
COMMENT ON TABLE change_gap IS 'Positions of the feed that are given to nothing here, because a copy of this database that was lost may have given them.';
COMMENT ON COLUMN change_gap.after_position IS 'The last position that the backup knew';
COMMENT ON COLUMN change_gap.until_position IS 'Positions go on behind this one';
COMMENT ON COLUMN change_gap.at IS 'When the backup was restored';
INSERT INTO audit_exempt VALUES ('change_gap', false, 'The feed: positions that a restore left out');

CREATE FUNCTION change_restart() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    known bigint := (SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM change_position s);
BEGIN
    INSERT INTO change_gap (after_position, until_position) VALUES (known, known + 1000000000);
    PERFORM setval('change_position', known + 1000000000);
    RETURN known;
END $$;
COMMENT ON FUNCTION change_restart() IS
    'To be called once after a backup was restored, before anybody writes. Tokens of the feed from before the backup go on; those from behind it are told to load anew. Gives the last position of the backup.';

CREATE FUNCTION change_is_lost(after text) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM change_gap g
               WHERE  split_part(after, '.', 1)::bigint BETWEEN g.after_position + 2 AND g.until_position
                  OR  split_part(after, '.', 1)::bigint = g.after_position + 1 AND split_part(after, '.', 2)::bigint > 0);
COMMENT ON FUNCTION change_is_lost(text) IS 'Whether this token was given by a copy of this database that was lost, and has told what is not so here.';

CREATE OR REPLACE FUNCTION change_read(after text, wanted text[], units ltree[], scopes text[], rows integer)
RETURNS TABLE (problem text, changes json, next text, more boolean, mark bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    upto bigint := change_readable();
BEGIN
    IF change_is_lost(after) THEN
        RETURN QUERY SELECT 'changes-forgotten', NULL::json, NULL::text, false, upto;
        RETURN;
    END IF;
    RETURN QUERY SELECT p.problem, p.changes, p.next, p.more, upto
                 FROM   (SELECT s.last_value FROM change_position s) n, change_page(upto, n.last_value, after, wanted, units, scopes, rows) p;
END $$;

-- A dump names functions with their schema, but IS DISTINCT FROM without one, and is restored with an empty search_path: so it is asked of text.
DROP TRIGGER unit_30_carry ON unit;
CREATE TRIGGER unit_30_carry AFTER UPDATE OF parent_id ON unit FOR EACH ROW
    WHEN (ltree2text(OLD.path) IS DISTINCT FROM ltree2text(NEW.path)) EXECUTE FUNCTION unit_carry();

SELECT audit_attach();
