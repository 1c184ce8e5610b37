-- Breaches of personal data: the whole government's, so of those who see all units.

-- name: listDataBreaches
-- sort: -found_at = b.found_at DESC AS found_at, b.id DESC AS id
-- sort: found_at = b.found_at AS found_at, b.id AS id
SELECT b.id, b.found_at, b.notify_by, b.which_data, b.happened, b.handling, b.people, b.is_for_public, b.lacks, b.owed, b.late, b.subjects_told_at, b.agency_told_at,
       b.public_told_at, b.actor_name, b.version, b.created_at, b.updated_at
FROM   data_breach_entry b
WHERE  '' = ANY (:actor_units::ltree[])
/*? is_owed */ AND (b.owed <> '{}') = :is_owed /*? */
/*? is_late */ AND (b.late <> '{}') = :is_late /*? */
/* page */

-- name: getDataBreach
SELECT b.id, b.found_at, b.notify_by, b.which_data, b.happened, b.handling, b.people, b.is_for_public, b.lacks, b.owed, b.late, b.subjects_told_at, b.agency_told_at,
       b.public_told_at, b.actor_name, b.version, b.created_at, b.updated_at
FROM   data_breach_entry b
WHERE  b.id = :breach_id AND '' = ANY (:actor_units::ltree[])

-- name: createDataBreach
WITH made AS (
    INSERT INTO data_breach (id, found_at, which_data, happened, handling, people, is_for_public, actor_name)
    SELECT :new_id, :found_at, :which_data, :happened, :handling, (:people::numeric)::integer, coalesce(:is_for_public::boolean, false), :actor_name
    WHERE  '' = ANY (:actor_units::ltree[])
    RETURNING *
)
SELECT CASE WHEN b.id IS NULL THEN 'forbidden' END AS _problem,
       b.id, b.found_at, breach_notify_by(b.found_at) AS notify_by, b.which_data, b.happened, b.handling, b.people, b.is_for_public,
       array_remove(ARRAY[CASE WHEN b.handling IS NULL THEN 'handling' END, CASE WHEN b.people IS NULL THEN 'people' END], NULL) AS lacks, w.owed,
       CASE WHEN now() > breach_notify_by(b.found_at) THEN w.owed ELSE '{}' END AS late, NULL::timestamptz AS subjects_told_at, NULL::timestamptz AS agency_told_at,
       NULL::timestamptz AS public_told_at, b.actor_name, b.version, b.created_at, b.updated_at
FROM   (SELECT) AS one LEFT JOIN made b ON true
CROSS  JOIN LATERAL (SELECT '{subjects,agency}'::text[] || CASE WHEN b.is_for_public THEN '{public}'::text[] ELSE '{}' END AS owed) w

-- name: updateDataBreach
WITH cur AS (
    SELECT b AS rec FROM data_breach b WHERE b.id = :breach_id AND '' = ANY (:actor_units::ltree[]) FOR UPDATE
), want AS (
    SELECT w.*, CASE WHEN NOT :if_match::int8multirange @> (cur.rec).version THEN 'version-stale' END AS problem
    FROM   cur, jsonb_populate_record(cur.rec, with_whole(:body::jsonb, 'people')) AS w
), done AS (
    UPDATE data_breach b
    SET    which_data = w.which_data, happened = w.happened, handling = w.handling, people = w.people, is_for_public = w.is_for_public
    FROM   want w
    WHERE  b.id = w.id AND w.problem IS NULL
    RETURNING b.*
)
SELECT w.problem AS _problem, d.id, d.found_at, breach_notify_by(d.found_at) AS notify_by, d.which_data, d.happened, d.handling, d.people, d.is_for_public,
       array_remove(ARRAY[CASE WHEN d.handling IS NULL THEN 'handling' END, CASE WHEN d.people IS NULL THEN 'people' END], NULL) AS lacks,
       ARRAY(SELECT o FROM unnest(CASE WHEN d.is_for_public AND e.public_told_at IS NULL THEN array_remove(e.owed, 'public') || '{public}' ELSE e.owed END) AS o WHERE o <> 'public' OR d.is_for_public)
           AS owed,
       ARRAY(SELECT l FROM unnest(CASE WHEN d.is_for_public AND coalesce(e.public_told_at, now()) > e.notify_by THEN array_remove(e.late, 'public') || '{public}' ELSE e.late END) AS l
             WHERE l <> 'public' OR d.is_for_public) AS late,
       e.subjects_told_at, e.agency_told_at, e.public_told_at, d.actor_name, d.version, d.created_at, d.updated_at
FROM   want w LEFT JOIN done d ON true LEFT JOIN data_breach_entry e ON e.id = w.id

-- name: listDataBreachNotices
-- sort: id = n.id AS id
SELECT n.id, n.breach_id, n.recipient, n.told_at, n.told_at <= breach_notify_by(b.found_at) AS is_in_time, n.reference, n.people, n.actor_name, n.created_at
FROM   data_breach_notice n JOIN data_breach b ON b.id = n.breach_id
WHERE  n.breach_id = :breach_id AND '' = ANY (:actor_units::ltree[])
/* page */

-- name: addDataBreachNotice
WITH place AS (
    SELECT b.id, b.found_at FROM data_breach b WHERE b.id = :breach_id AND '' = ANY (:actor_units::ltree[])
), made AS (
    INSERT INTO data_breach_notice (id, breach_id, recipient, told_at, reference, people, actor_name)
    SELECT :new_id, p.id, :recipient, coalesce(:told_at::timestamptz, now()), :reference, (:people::numeric)::integer, :actor_name FROM place p
    RETURNING *
)
SELECT n.id, n.breach_id, n.recipient, n.told_at, n.told_at <= breach_notify_by(p.found_at) AS is_in_time, n.reference, n.people, n.actor_name, n.created_at
FROM   made n CROSS JOIN place p
