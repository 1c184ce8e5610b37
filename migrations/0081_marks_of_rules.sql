-- A rule that changes marks those whom it judges otherwise, not everybody (0050, 0070): who holds the code, has the rating, is of the kind. Whoever comes to it later is marked then, by
-- the change of his own record; and a rule of a later day is looked at by them on that day (`until`). What is written as it was marks nobody.
-- The lock is that of staff_refresh() and index_refresh(), taken before anybody is looked for: who comes to the rule meanwhile, unseen, leaves a mark of his own, and that is not worked through
-- before the rule is committed. See docs/kept-sums.md.

CREATE FUNCTION index_judged(statuses text[], levels text[], endings text[], echelons text[], places text[], ranks text[], is_pppk boolean) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE AS $$
BEGIN
    places := places || ARRAY(SELECT r.code FROM reference r WHERE r.list = 'position-level' AND r.facts ->> 'min_education' = ANY (levels));
    echelons := echelons || ARRAY(SELECT r.code FROM reference r WHERE r.list = 'echelon' AND (r.facts ->> 'position_level' = ANY (places) OR r.facts ->> 'min_rank' = ANY (ranks)));
    RETURN QUERY
    SELECT a.id FROM asn a
    WHERE  a.legal_status = ANY (statuses) OR a.education_level = ANY (levels)
           OR a.position_kind = 'struktural' AND (a.echelon = ANY (echelons) OR a.rank = ANY (ranks))
           OR a.position_kind = 'pelaksana' AND ' ' || lower(a.position) LIKE ANY (endings)
           OR is_pppk AND a.kind IN ('PPPK', 'PPPK_PARUH_WAKTU')
    UNION  -- who holds the same post as somebody whose status it is (TIM_4)
    SELECT b.id FROM asn a JOIN asn b ON b.unit_id = a.unit_id AND b.position_kind = 'struktural'
    WHERE  a.legal_status = ANY (statuses) AND a.position_kind = 'struktural';
END $$;
COMMENT ON FUNCTION index_judged(text[], text[], text[], text[], text[], text[], boolean) IS
    'Whose indices hang on these codes of lists: legal-status, education-level, functional-level (endings: patterns for '' '' || lower(position)), echelon, position-level, rank-pns; is_pppk: on the first year of PPPK (ACC_7).';

CREATE FUNCTION index_mark_judged(changed reference[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    of record;
BEGIN
    SELECT coalesce(array_agg(r.code) FILTER (WHERE r.list = 'legal-status'), '{}') AS statuses, coalesce(array_agg(r.code) FILTER (WHERE r.list = 'education-level'), '{}') AS levels,
           coalesce(array_agg('% ' || lower(r.name)) FILTER (WHERE r.list = 'functional-level'), '{}') AS endings,
           coalesce(array_agg(r.code) FILTER (WHERE r.list = 'echelon'), '{}') AS echelons, coalesce(array_agg(r.code) FILTER (WHERE r.list = 'position-level'), '{}') AS places,
           coalesce(array_agg(r.code) FILTER (WHERE r.list = 'rank-pns'), '{}') AS ranks, bool_or(r.list = 'data-quality-indicator') AS is_pppk
    INTO   of
    FROM   unnest(changed) r
    WHERE  r.list IN ('legal-status', 'education-level', 'functional-level', 'echelon', 'position-level', 'rank-pns') OR r.list = 'data-quality-indicator' AND r.code = 'ACC_7'
    HAVING count(*) > 0;
    IF FOUND THEN
        PERFORM pg_advisory_xact_lock(1918, 36);
        INSERT INTO index_mark (asn_id) SELECT j.id FROM index_judged(of.statuses, of.levels, of.endings, of.echelons, of.places, of.ranks, of.is_pppk) AS j (id);
    END IF;
END $$;
COMMENT ON FUNCTION index_mark_judged(reference[]) IS 'Marks whose indices hang on these rows of lists, as they were or are.';

CREATE FUNCTION reference_says_so(o reference, n reference) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN ((o).list, (o).code, (o).valid, (o).seq, (o).facts) = ((n).list, (n).code, (n).valid, (n).seq, (n).facts) AND ((o).list <> 'functional-level' OR (o).name = (n).name);
COMMENT ON FUNCTION reference_says_so(reference, reference) IS 'Whether two rows judge people alike: by the days on which they hold, their place in the order and their facts; a functional level by its name too.';

CREATE OR REPLACE FUNCTION index_mark_rules() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        PERFORM index_mark_judged(ARRAY(SELECT o::reference FROM departed o WHERE NOT EXISTS (SELECT FROM entered n WHERE reference_says_so(o::reference, n::reference))
                                        UNION ALL
                                        SELECT n::reference FROM entered n WHERE NOT EXISTS (SELECT FROM departed o WHERE reference_says_so(o::reference, n::reference))));
    ELSE
        PERFORM index_mark_judged(ARRAY(SELECT e::reference FROM entered e));
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_rules() IS 'Marks whom a row of a list judges otherwise now, if the quality of data is judged by it.';
DROP TRIGGER reference_71_index_update ON reference;
CREATE TRIGGER reference_71_index_update AFTER UPDATE ON reference REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION index_mark_rules();

CREATE OR REPLACE FUNCTION staff_mark_status() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    codes text[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        codes := ARRAY(SELECT o.code FROM departed o WHERE o.list = 'legal-status' AND NOT EXISTS (SELECT FROM entered n WHERE reference_says_so(o::reference, n::reference))
                       UNION
                       SELECT n.code FROM entered n WHERE n.list = 'legal-status' AND NOT EXISTS (SELECT FROM departed o WHERE reference_says_so(o::reference, n::reference)));
    ELSE
        codes := ARRAY(SELECT e.code FROM entered e WHERE e.list = 'legal-status');
    END IF;
    IF codes <> '{}' THEN
        PERFORM pg_advisory_xact_lock(1918, 36);
        INSERT INTO staff_mark (asn_id) SELECT a.id FROM asn a WHERE a.legal_status = ANY (codes);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_status() IS 'Marks everybody with a legal status that is otherwise now: whether its holders are of the staff may be.';
DROP TRIGGER reference_70_staff_update ON reference;
CREATE TRIGGER reference_70_staff_update AFTER UPDATE ON reference REFERENCING NEW TABLE AS entered OLD TABLE AS departed FOR EACH STATEMENT EXECUTE FUNCTION staff_mark_status();

-- ── learning rules, predicates, points of the index ──────────────────────────────────────────────────────────────────────

-- The floor of who has no hours is worked out when it is read.
CREATE FUNCTION staff_mark_floor() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 36);
    INSERT INTO staff_mark (asn_id)
    SELECT DISTINCT l.asn_id
    FROM   (SELECT v.kind, min(v.valid_from) AS since FROM (SELECT OLD.kind, OLD.valid_from UNION ALL SELECT NEW.kind, NEW.valid_from) v WHERE v.kind IS NOT NULL GROUP BY v.kind) r
    JOIN   learning_entry l ON l.rule_kind = r.kind AND extract(year FROM l.period_from) + 1 >= r.since;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_floor() IS 'Marks who has learning hours by a rule that is otherwise now, in a year that it may be of.';
DROP TRIGGER learning_rule_70_staff ON learning_rule;
CREATE TRIGGER learning_rule_70_staff AFTER INSERT OR DELETE ON learning_rule FOR EACH ROW EXECUTE FUNCTION staff_mark_floor();
CREATE TRIGGER learning_rule_70_staff_update AFTER UPDATE ON learning_rule FOR EACH ROW
    WHEN ((OLD.kind, OLD.valid_from, OLD.floor_jp) IS DISTINCT FROM (NEW.kind, NEW.valid_from, NEW.floor_jp)) EXECUTE FUNCTION staff_mark_floor();

CREATE FUNCTION staff_mark_cell() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 36);
    INSERT INTO staff_mark (asn_id)
    SELECT DISTINCT e.asn_id FROM evaluation e
    WHERE  e.state <> 'final' AND ((e.results_rating, e.behaviour_rating) = (OLD.results_rating, OLD.behaviour_rating)
                                   OR (e.results_rating, e.behaviour_rating) = (NEW.results_rating, NEW.behaviour_rating));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION staff_mark_cell() IS 'Marks who has a draft with the ratings of a cell that is otherwise now. What is final keeps its predicate.';
DROP TRIGGER predicate_cell_70_staff ON predicate_cell;
CREATE TRIGGER predicate_cell_70_staff AFTER INSERT OR DELETE ON predicate_cell FOR EACH ROW EXECUTE FUNCTION staff_mark_cell();
CREATE TRIGGER predicate_cell_70_staff_update AFTER UPDATE ON predicate_cell FOR EACH ROW
    WHEN ((OLD.results_rating, OLD.behaviour_rating, OLD.predicate) IS DISTINCT FROM (NEW.results_rating, NEW.behaviour_rating, NEW.predicate)) EXECUTE FUNCTION staff_mark_cell();
DROP FUNCTION staff_mark_all();

CREATE FUNCTION index_mark_score() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    scores ip_asn_score[] := ARRAY(SELECT v FROM unnest(ARRAY[OLD::ip_asn_score, NEW::ip_asn_score]) v WHERE v.part IS NOT NULL);
    levels text[] := ARRAY(SELECT s.key FROM unnest(scores) s WHERE s.part = 'kualifikasi');
    rated  text[] := ARRAY(SELECT s.key FROM unnest(scores) s WHERE s.part = 'kinerja');
    worst  text[] := ARRAY(SELECT s.key FROM unnest(scores) s WHERE s.part = 'disiplin');
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 36);
    IF 'none' = ANY (levels || rated || worst) THEN
        INSERT INTO index_mark (asn_id) SELECT a.id FROM asn a;
    ELSE
        INSERT INTO index_mark (asn_id)
        SELECT a.id FROM asn a WHERE a.education_level = ANY (levels)
        UNION  SELECT e.asn_id FROM evaluation e WHERE e.state = 'final' AND e.predicate = ANY (rated)
        UNION  SELECT h.asn_id FROM history h WHERE worst <> '{}' AND h.kind = 'discipline' AND h.facts ->> 'level' = ANY (worst);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_score() IS 'Marks whose points in the index hang on a row that is otherwise now: who has the education, the predicate or the penalty. Where it is of those who have none, everybody.';
DROP TRIGGER ip_asn_score_71_index ON ip_asn_score;
CREATE TRIGGER ip_asn_score_71_index AFTER INSERT OR DELETE ON ip_asn_score FOR EACH ROW EXECUTE FUNCTION index_mark_score();
CREATE TRIGGER ip_asn_score_71_index_update AFTER UPDATE ON ip_asn_score FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION index_mark_score();

CREATE FUNCTION index_mark_component() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918, 36);
    INSERT INTO index_mark (asn_id) SELECT a.id FROM asn a WHERE a.position_kind IN (OLD.position_kind, NEW.position_kind);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION index_mark_component() IS 'Marks who holds a position of the kind of which the points for trainings are otherwise now.';
DROP TRIGGER ip_asn_component_71_index ON ip_asn_component;
CREATE TRIGGER ip_asn_component_71_index AFTER INSERT OR DELETE ON ip_asn_component FOR EACH ROW EXECUTE FUNCTION index_mark_component();
CREATE TRIGGER ip_asn_component_71_index_update AFTER UPDATE ON ip_asn_component FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION index_mark_component();
DROP FUNCTION index_mark_all();

SELECT audit_attach();
SELECT row_security_attach();
