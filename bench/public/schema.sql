-- SPDX-License-Identifier: Apache-2.0
-- What the public workload asks for: the shapes of the comparison of PostgreSQL API servers of July 2026 (one row to five hundred of 23 types, an answer with
-- next to nothing in it, an echo, nested objects, large texts, twenty typed parameters). Every server under test calls these functions with the same statements.
-- All values depend on the row's number alone, and have one shortest form as a JSON number, so that what two servers answer can be compared.
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;

CREATE FUNCTION bench.perf_test(records integer)
RETURNS TABLE (id bigint, text_value text, int_value integer, numeric_value numeric, real_value real, double_value double precision, bool_value boolean,
               date_value date, time_value time, timetz_value timetz, timestamp_value timestamp, timestamptz_value timestamptz, interval_value interval,
               uuid_value uuid, json_value json, jsonb_value jsonb, ints integer[], bigints bigint[], texts text[], bools boolean[], numerics numeric[],
               timestamps timestamp[], dates date[])
LANGUAGE sql STABLE AS $$
    SELECT 1000000000000 + i, CASE WHEN i % 10 = 0 THEN NULL ELSE 'row "' || i || '" é \ /' END, i, i * 1.25, i * 0.5::real, i * 0.125::double precision, i % 2 = 0,
           date '2026-01-01' + i, time '08:00' + make_interval(secs => i), timetz '08:00+08' + make_interval(secs => i),
           timestamp '2026-01-01 08:00' + make_interval(mins => i, secs => 0.5), timestamptz '2026-01-01 08:00+08' + make_interval(mins => i),
           make_interval(days => i % 28 + 1, hours => i % 23 + 1), md5(i::text)::uuid,
           json_build_object('row', i, 'tags', json_build_array('a', i, true, null)), jsonb_build_object('row', i, 'half', i * 0.5),
           ARRAY[i, i + 1, i + 2], ARRAY[1000000000000 + i], ARRAY['a' || i, 'b, "c"', '\', 'NULL', ''], ARRAY[true, i % 2 = 0],
           ARRAY[i * 1.5, 0.25], ARRAY[timestamp '2026-01-01 08:00', timestamp '2026-01-01 08:00' + make_interval(mins => i)], ARRAY[date '2026-01-01' + i]
    FROM   generate_series(1, records) AS i
$$;

CREATE FUNCTION bench.nested(depth integer)
RETURNS TABLE (id integer, name text, child jsonb)
LANGUAGE sql STABLE AS $$
    SELECT i, 'object ' || i,
           CASE depth WHEN 1 THEN jsonb_build_object('id', i, 'tags', jsonb_build_array('a', 'b'))
                      WHEN 2 THEN jsonb_build_object('id', i, 'child', jsonb_build_object('id', i * 10, 'tags', jsonb_build_array('a', 'b')))
                      ELSE jsonb_build_object('id', i, 'child', jsonb_build_object('id', i * 10, 'children', jsonb_build_array(
                               jsonb_build_object('id', i * 100, 'ok', true), jsonb_build_object('id', i * 100 + 1, 'ok', false)))) END
    FROM   generate_series(1, 10) AS i
$$;
