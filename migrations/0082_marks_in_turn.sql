-- Who marks others looks for them before he commits, and does not see who comes to them meanwhile; that one has a mark of his own. It may not be worked through while the first is still under
-- way: whoever takes up the same post in a unit tells so by a lock, and index_refresh() works through those marks alone that it saw before it found that nobody holds it.

CREATE OR REPLACE FUNCTION index_mark_person() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO index_mark (asn_id) SELECT DISTINCT v.id FROM (VALUES (OLD.id), (NEW.id)) AS v (id) WHERE v.id IS NOT NULL;
    IF OLD.position_kind = 'struktural' OR NEW.position_kind = 'struktural' THEN
        PERFORM pg_advisory_xact_lock_shared(1918, 37);
        INSERT INTO index_mark (asn_id) SELECT a.id FROM asn a WHERE a.unit_id IN (OLD.unit_id, NEW.unit_id) AND a.position_kind = 'struktural';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION index_mark_session() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'session' THEN
        PERFORM index_mark_attending(ARRAY[NEW.id]);
    ELSIF TG_TABLE_NAME = 'session_term' THEN
        PERFORM FROM session s WHERE s.id IN (OLD.session_id, NEW.session_id) ORDER BY s.id FOR NO KEY UPDATE; -- who enrols holds it, and leaves no mark where he sees no cost
        PERFORM index_mark_attending(ARRAY[OLD.session_id, NEW.session_id]);
    ELSE
        PERFORM index_mark_attending(ARRAY(SELECT s.id FROM session s WHERE s.programme_id = NEW.id));
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION index_refresh(milliseconds integer, most integer DEFAULT 500) RETURNS bigint
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    began  timestamptz := clock_timestamp();
    done   bigint := 0;
    people uuid[];
    marks  bigint[];
    differences jsonb;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1918, 36) THEN
        RETURN 0;
    END IF;
    LOOP
        people := ARRAY(SELECT DISTINCT m.asn_id FROM (SELECT k.asn_id FROM index_mark k ORDER BY k.id LIMIT most) m
                        UNION (SELECT k.asn_id FROM index_kept k WHERE k.until <= local_today() LIMIT most));
        EXIT WHEN people = '{}';
        marks := ARRAY(SELECT m.id FROM index_mark m WHERE m.asn_id = ANY (people));
        EXIT WHEN NOT pg_try_advisory_lock(1918, 37);
        PERFORM pg_advisory_unlock(1918, 37);
        WITH told AS MATERIALIZED (
            SELECT t.* FROM index_told(people) t
        ), seen AS (
            DELETE FROM index_mark m WHERE m.id = ANY (marks)
        ), kept AS (
            INSERT INTO index_kept AS k SELECT t.* FROM told t
            ON CONFLICT ON CONSTRAINT index_kept_pkey DO UPDATE SET (unit_id, parts, until) = (EXCLUDED.unit_id, EXCLUDED.parts, EXCLUDED.until)
        ), gone AS (
            DELETE FROM index_kept k WHERE k.asn_id = ANY (people) AND NOT EXISTS (SELECT FROM told t WHERE t.asn_id = k.asn_id)
        )
        SELECT jsonb_agg(jsonb_build_object('unit_id', d.unit_id, 'key', d.key, 'n', d.n)) INTO differences
        FROM   (SELECT v.unit_id, j.key, sum(v.sign * j.value::numeric) AS n
                FROM   (SELECT t.unit_id, t.parts, 1 AS sign FROM told t
                        UNION ALL SELECT k.unit_id, k.parts, -1 FROM index_kept k WHERE k.asn_id = ANY (people)) v
                CROSS  JOIN LATERAL jsonb_each_text(v.parts) j
                GROUP  BY v.unit_id, j.key HAVING sum(v.sign * j.value::numeric) <> 0) d;
        PERFORM staff_add(differences) WHERE differences IS NOT NULL;
        done := done + cardinality(people);
        EXIT WHEN clock_timestamp() > began + make_interval(secs => milliseconds / 1000.0);
    END LOOP;
    RETURN done;
END $$;
COMMENT ON FUNCTION index_refresh(integer, integer) IS
    'For so long, works out anew who is marked or whose day has come, so many people at a time, and brings the sums of indices and costs up to it. Takes those marks away that it saw while nobody who marks others was under way. Gives how many people. Only one at a time works: others give 0.';

SELECT audit_attach();
SELECT row_security_attach();
