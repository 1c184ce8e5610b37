-- SPDX-License-Identifier: Apache-2.0
-- The statements of the public workload. Every server under test sends these same texts.

-- name: perfTest
SELECT t.id, t.text_value, t.int_value, t.numeric_value, t.real_value, t.double_value, t.bool_value, t.date_value, t.time_value, t.timetz_value,
       t.timestamp_value, t.timestamptz_value, t.interval_value, t.uuid_value, t.json_value, t.jsonb_value, t.ints, t.bigints, t.texts, t.bools, t.numerics,
       t.timestamps, t.dates
FROM   bench.perf_test(:records::integer) AS t

-- name: minimal
SELECT 'ok' AS status, now() AS now

-- name: post
SELECT :name::text AS name, upper(:name::text) AS shouted, :count::integer AS count, :count::integer * 2 AS doubled, :price::numeric AS price,
       :price::numeric * :count::integer AS total, :active::boolean AS active, :tags::text[] AS tags, cardinality(:tags::text[]) AS n_tags

-- name: nested
SELECT n.id, n.name, n.child FROM bench.nested(:depth::integer) AS n

-- name: large
SELECT :kilobytes::integer AS kilobytes, repeat('0123456789', :kilobytes::integer * 100) AS text

-- name: params
SELECT :p_text::text AS p_text, :p_short::smallint AS p_short, :p_int::integer AS p_int, :p_bigint::bigint AS p_bigint, :p_numeric::numeric AS p_numeric,
       :p_real::real AS p_real, :p_double::double precision AS p_double, :p_bool::boolean AS p_bool, :p_date::date AS p_date, :p_time::time AS p_time,
       :p_timetz::timetz AS p_timetz, :p_timestamp::timestamp AS p_timestamp, :p_timestamptz::timestamptz AS p_timestamptz,
       :p_interval::interval AS p_interval, :p_uuid::uuid AS p_uuid, :p_json::jsonb AS p_json, :p_ints::integer[] AS p_ints, :p_texts::text[] AS p_texts,
       :p_bools::boolean[] AS p_bools, :p_dates::date[] AS p_dates
