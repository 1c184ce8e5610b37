-- Due lists: what falls due, when, by which rule and facts, and what stands in the way. The days stand in the table due; see docs/reports.md.

-- Those of whom a fact is missing come last.
-- name: listDue
-- sort: due_on = coalesce(d.due_on, 'infinity'::date) AS _due_on, d.asn_id AS _asn_id, d.rule AS rule
-- sort: -due_on = coalesce(d.due_on, 'infinity'::date) DESC AS _due_on, d.asn_id DESC AS _asn_id, d.rule DESC AS rule
SELECT d.due_on, a.nip, a.name, a.title_front, a.title_back, a.kind, d.unit_id, u.name AS unit_name, d.rule, r.name AS rule_name,
       r.name_en AS rule_name_en, r.valid_from AS rule_valid_from, r.source AS rule_source, r.is_confirmed AS rule_is_confirmed,
       due_facts(d, a, r) AS facts, d.missing, due_blocks(d, a, r, :today::date, :actor_scopes::text[]) AS blocks,
       coalesce(d.due_on, 'infinity'::date) AS _due_on, d.asn_id AS _asn_id
FROM   due d
JOIN   asn a ON a.id = d.asn_id
JOIN   unit u ON u.id = d.unit_id
JOIN   due_rule r ON r.code = d.rule AND r.valid_from = d.rule_from
WHERE  d.list = :due_list
/*? actor_units */ AND u.path <@ ANY (:actor_units::ltree[]) /*? */
/*? under */ AND u.path <@ (SELECT p.path FROM unit p WHERE p.id = :under) /*? */
/*? from */ AND coalesce(d.due_on, 'infinity'::date) >= :from::date /*? */
/*? until */ AND coalesce(d.due_on, 'infinity'::date) < :until::date /*? */
/*? within */ AND coalesce(d.due_on, 'infinity'::date) <= :today::date + :within::integer /*? */
/*? undated */ AND coalesce(d.due_on, 'infinity'::date) >= CASE WHEN :undated::boolean THEN 'infinity'::date ELSE '-infinity' END
    AND (:undated::boolean OR coalesce(d.due_on, 'infinity'::date) < 'infinity') /*? */
/*? kind */ AND a.kind = :kind /*? */
/* page */

-- name: listDueRules
-- sort: code = r.code AS code, r.valid_from AS valid_from
SELECT r.code, r.valid_from, r.list, r.name, r.name_en, r.kinds, r.statuses, r.position_kinds, r.levels, r.position_word, r.award, r.counts_from,
       r.months, r.next_month, r.blocked_by, r.source, r.is_confirmed
FROM   due_rule r
WHERE  true
/*? list */ AND r.list = :list /*? */
/* page */
