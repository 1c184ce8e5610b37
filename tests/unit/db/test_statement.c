/* SPDX-License-Identifier: Apache-2.0 */
/* SQL files: what a block becomes, what is refused and with which line, and that many threads may ask for variants at once. */
#include "testing.h"

#include <pthread.h>

#include "asnd/db.h"

/* ── parameters ── */

struct bind_case {
    const char *label, *sql, *expected, *binds;
};

static const struct bind_case bind_cases[] = {
    {"a parameter", "SELECT :a", "SELECT $1", "a"},
    {"the same name shares a number", "SELECT :a, :b, :a", "SELECT $1, $2, $1", "a b"},
    {"a cast is none", "SELECT '1'::int, :a::int", "SELECT '1'::int, $1::int", "a"},
    {"an assignment is none", "SELECT f(x := :a)", "SELECT f(x := $1)", "a"},
    {"not in a string", "SELECT ':a', 'it''s :a', :b", "SELECT ':a', 'it''s :a', $1", "b"},
    {"not in an escape string", "SELECT E'\\':a', :b", "SELECT E'\\':a', $1", "b"},
    {"a backslash ends no plain string", "SELECT '\\', :b", "SELECT '\\', $1", "b"},
    {"not in a quoted name", "SELECT \"x:a\", :b", "SELECT \"x:a\", $1", "b"},
    {"not in dollar quotes", "SELECT $$:a$$, $q$:a $$ :c$q$, :b", "SELECT $$:a$$, $q$:a $$ :c$q$, $1", "b"},
    {"not in comments", "SELECT 1 -- :a\n, :b /* :c /* nested :d */ :e */", "SELECT 1 \n, $1", "b"},
    {"not in an array slice", "SELECT x[1:2], x[a:b], x[f(1):n], :b", "SELECT x[1:2], x[a:b], x[f(1):n], $1", "b"},
    {"but as an index", "SELECT x[:i], x[ :j ]", "SELECT x[$1], x[ $2 ]", "i j"},
    {"right behind an operator", "SELECT a=:x,b>:y", "SELECT a=$1,b>$2", "x y"},
    {"the semicolon is dropped", "SELECT :a;\n\n", "SELECT $1", "a"},
    {"an identifier with a dollar", "SELECT a$b$c, :a", "SELECT a$b$c, $1", "a"},
    {"a comment parts words", "SELECT/* x */1", "SELECT 1", ""},
};

static void parameters_are_found(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(bind_cases); i++) {
        const struct bind_case *c = &bind_cases[i];
        struct sql_set *set = parse_ok(c->label, "-- name: it\n", c->sql);
        const struct variant *v = statement_variant(sql_set_find(set, "it"), 0, 0, VARIANT_PLAIN);
        assert_sql(c->label, v, c->expected);
        assert_binds(c->label, v, c->binds);
        sql_set_free(set);
    }
}

/* ── options and pages ── */

static const char list_sql[] =
    "-- name: list   what the list gives\n"
    "-- remarks may stand here\n"
    "-- sort: name = a.key AS _key, a.nip AS nip\n"
    "-- sort: -name = a.key DESC AS _key, a.nip DESC AS nip\n"
    "-- sort: like = similarity(a.key, :q) AS _like\n"
    "-- sort: day = coalesce(a.day, 'infinity'::date)::date AS _day, (a.key COLLATE \"C\")::text AS _key, a.n::integer + 1 AS n\n"
    "-- timeout: 2000\n"
    "SELECT a.key AS _key, a.nip\n"
    "FROM asn a WHERE true\n"
    "/*? unit_id */ AND a.unit_id = :unit_id /*? */\n"
    "/*? q */ AND a.key LIKE :q /*? */\n"
    "/*page*/\n";

struct variant_case {
    const char *label;
    unsigned options;
    size_t sort;
    enum variant_shape shape;
    const char *expected, *binds;
};

static const struct variant_case variant_cases[] = {
    {"plain", 0, 0, VARIANT_PLAIN, "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true ORDER BY a.key, a.nip LIMIT $1::bigint", "_limit"},
    {"one option", 1, 0, VARIANT_PLAIN,
     "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true\n AND a.unit_id = $1 ORDER BY a.key, a.nip LIMIT $2::bigint", "unit_id _limit"},
    {"the other", 2, 0, VARIANT_PLAIN,
     "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true\n\n AND a.key LIKE $1 ORDER BY a.key, a.nip LIMIT $2::bigint", "q _limit"},
    {"after a cursor", 0, 0, VARIANT_AFTER_CURSOR,
     "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true AND (a.key, a.nip) > ($1, $2) ORDER BY a.key, a.nip LIMIT $3::bigint",
     "_cursor0 _cursor1 _limit"},
    {"descending", 1, 1, VARIANT_AFTER_CURSOR,
     "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true\n AND a.unit_id = $1 AND (a.key, a.nip) < ($2, $3)"
     " ORDER BY a.key DESC, a.nip DESC LIMIT $4::bigint",
     "unit_id _cursor0 _cursor1 _limit"},
    {"a parameter in a key", 2, 2, VARIANT_AFTER_CURSOR,
     "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true\n\n AND a.key LIKE $1 AND (similarity(a.key, $1)) > ($2)"
     " ORDER BY similarity(a.key, $1) LIMIT $3::bigint",
     "q _cursor0 _limit"},
    {"the usual limit leaves nothing to plan for", VARIANT_USUAL_LIMIT, 0, VARIANT_PLAIN,
     "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true ORDER BY a.key, a.nip LIMIT 51", ""},
    {"the usual limit after a cursor", VARIANT_USUAL_LIMIT | 1, 0, VARIANT_AFTER_CURSOR,
     "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true\n AND a.unit_id = $1 AND (a.key, a.nip) > ($2, $3) ORDER BY a.key, a.nip LIMIT 51",
     "unit_id _cursor0 _cursor1"},
    {"a key that says its type hides the cursor", VARIANT_USUAL_LIMIT, 3, VARIANT_AFTER_CURSOR,
     "SELECT a.key AS _key, a.nip\nFROM asn a WHERE true AND (coalesce(a.day, 'infinity'::date)::date, (a.key COLLATE \"C\")::text, "
     "a.n::integer + 1)"
     " > ((SELECT $1::date), (SELECT $2::text), $3)"
     " ORDER BY coalesce(a.day, 'infinity'::date)::date, (a.key COLLATE \"C\")::text, a.n::integer + 1 LIMIT 51",
     "_cursor0 _cursor1 _cursor2"},
    {"a count has no limit", VARIANT_USUAL_LIMIT | 1, 1, VARIANT_COUNT,
     "SELECT count(*) AS count FROM (SELECT a.key AS _key, a.nip\nFROM asn a WHERE true\n AND a.unit_id = $1) AS counted", "unit_id"},
    {"count", 1, 1, VARIANT_COUNT,
     "SELECT count(*) AS count FROM (SELECT a.key AS _key, a.nip\nFROM asn a WHERE true\n AND a.unit_id = $1) AS counted", "unit_id"},
};

static void variants_are_written(void **state UNUSED)
{
    struct sql_set *set = parse_ok("list", "", list_sql);
    const struct statement *list = sql_set_find(set, "list");

    for (size_t i = 0; i < ARRAY_LEN(variant_cases); i++) {
        const struct variant_case *c = &variant_cases[i];
        const struct variant *v = statement_variant(list, c->options, c->sort, c->shape);
        assert_sql(c->label, v, c->expected);
        assert_binds(c->label, v, c->binds);
        assert_ptr_equal(v, statement_variant(list, c->options, c->sort, c->shape));
        assert_ptr_equal(v->statement, list);
    }
    assert_ptr_equal(statement_variant(list, 1, 0, VARIANT_COUNT), statement_variant(list, 1, 2, VARIANT_COUNT));
    sql_set_free(set);
}

static void the_blocks_are_described(void **state UNUSED)
{
    struct sql_set *set = parse_ok("list", "-- a file's head\n\n", list_sql);
    const struct statement_info *info = statement_info(sql_set_find(set, "list"));

    assert_string_equal(info->place, "t.sql:3");
    assert_int_equal(info->n_options, 2);
    assert_string_equal(info->options[0], "unit_id");
    assert_string_equal(info->options[1], "q");
    assert_int_equal(info->n_sorts, 4);
    assert_string_equal(info->sorts[1].name, "-name");
    assert_true(info->sorts[1].is_descending);
    assert_false(info->sorts[0].is_descending);
    assert_int_equal(info->sorts[1].n_keys, 2);
    assert_string_equal(info->sorts[1].keys[0].expression, "a.key");
    assert_string_equal(info->sorts[1].keys[0].column, "_key");
    assert_string_equal(info->sorts[2].keys[0].expression, "similarity(a.key, :q)");
    assert_true(info->has_page);
    assert_false(info->is_write);
    assert_int_equal(info->timeout_ms, 2000);
    assert_null(sql_set_find(set, "lis"));
    assert_null(sql_set_find(set, "listing"));
    sql_set_free(set);
}

static void writes_are_recognised(void **state UNUSED)
{
    static const struct {
        const char *sql;
        bool is_write;
    } cases[] = {
        {"SELECT 1", false},
        {"SELECT 'insert', \"delete\", x.update, deleted, $$merge$$ -- update", false},
        {"insert INTO t VALUES (1)", true},
        {"WITH d AS (DELETE FROM t RETURNING 1) SELECT * FROM d", true},
        {"UPDATE t SET a = 1", true},
        {"MERGE INTO t USING u ON true WHEN MATCHED THEN DO NOTHING", true},
        {"SELECT 1 FROM t FOR UPDATE", true},
        {"-- write: true\nSELECT f()", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sql_set *set = parse_ok(cases[i].sql, "-- name: it\n", cases[i].sql);
        if (statement_info(sql_set_find(set, "it"))->is_write != cases[i].is_write)
            fail_msg("%s", cases[i].sql);
        sql_set_free(set);
    }
}

/* ── refusals ── */

#define SORTED "-- name: it\n-- sort: a = a AS a\n"

static const struct {
    const char *sql, *fault;
} refusals[] = {
    {"SELECT 1\n", "t.sql:1: a statement must begin with `-- name: …`"},
    {"-- name: it\n", "t.sql:1: it has no SQL"},
    {"-- name: 1st\nSELECT 1", "t.sql:1: \"1st\" cannot be the name of a statement"},
    {"-- name: it\nSELECT 1\n-- name: it\nSELECT 2", "t.sql:3: it is also the name of the statement at t.sql:1"},
    {"-- name: it\n\nSELECT 'x", "t.sql:3: a string is not closed"},
    {"-- name: it\nSELECT $a$x$b$", "t.sql:2: a dollar quote is not closed"},
    {"-- name: it\nSELECT /* /* */ 1", "t.sql:2: a comment is not closed"},
    {"-- name: it\nSELECT $1", "t.sql:2: parameters have names here: write :name instead of $1"},
    {"-- name: it\nSELECT :_limit", "t.sql:2: :_limit: names that begin with _ are the engine's own"},
    {"-- name: it\nSELECT 1;\nSELECT 2", "t.sql:3: one statement a block: nothing may follow the semicolon"},
    {"-- name: it\nSELECT (1", "t.sql:2: brackets or CASE are not closed in this statement"},
    {"-- name: it\nSELECT 1)", "t.sql:2: a bracket is closed that was not opened"},
    {"-- name: it\nSELECT 1\n/*? a */ , 2", "t.sql:3: this optional part is not closed"},
    {"-- name: it\nSELECT 1 /*? */", "t.sql:2: an optional part is closed that was not opened"},
    {"-- name: it\n/*? a */\n/*? b */ SELECT 1 /*? */", "t.sql:3: optional parts may not nest; the one of line 2 is still open"},
    {"-- name: it\nSELECT 1 /*? a b */ , 2 /*? */", "t.sql:2: an optional part has exactly one parameter's name: \"a b\" is none"},
    {"-- name: it\nSELECT 1 /*? a */ + ( /*? */ 1)", "t.sql:2: brackets do not match inside the optional part of line 2"},
    {"-- name: it\nSELECT 1\n-- sort: a = a AS a", "t.sql:3: \"-- sort:\" must stand directly below the name"},
    {"-- name: it\n-- sorts: a = a AS a\nSELECT 1", "t.sql:2: \"sorts\" is not an annotation; \"sort\" is meant?"},
    {"-- name: it\n-- timeout: soon\nSELECT 1", "t.sql:2: timeout: milliseconds from 1 to 3600000"},
    {"-- name: it\n-- write: false\nSELECT 1",
     "t.sql:2: write: only `-- write: true` can be said; INSERT, UPDATE, DELETE and MERGE are found"},
    {"-- name: it\nSELECT a FROM t WHERE true /*page*/", "t.sql:1: it has a page marker and no sort order"},
    {SORTED "SELECT a FROM t WHERE true", "t.sql:1: it has sort orders and no page marker"},
    {SORTED "SELECT a FROM t /*page*/", "t.sql:3: the page marker needs a WHERE before it that is always there (WHERE true will do)"},
    {SORTED "SELECT a FROM t /*? b */ WHERE b = :b /*? */ /*page*/",
     "t.sql:3: the page marker needs a WHERE before it that is always there (WHERE true will do)"},
    {SORTED "SELECT a FROM (SELECT a FROM t WHERE true) t /*page*/",
     "t.sql:3: the page marker needs a WHERE before it that is always there (WHERE true will do)"},
    {SORTED "SELECT a FROM t WHERE (true /*page*/)", "t.sql:3: the page marker must stand outside optional parts and brackets"},
    {SORTED "SELECT a FROM t WHERE true /*? b */ /*page*/ /*? */",
     "t.sql:3: the page marker must stand outside optional parts and brackets"},
    {SORTED "SELECT a FROM t WHERE a = 1 OR b = 2 /*page*/", "t.sql:3: OR outside brackets before the page marker"},
    {SORTED "SELECT a FROM t WHERE true GROUP BY a /*page*/", "t.sql:3: GROUP BY (move it into a sub-select) before the page marker"},
    {SORTED "SELECT a FROM t UNION SELECT a FROM u WHERE true /*page*/",
     "t.sql:3: UNION (move it into a sub-select) before the page marker"},
    {SORTED "SELECT a FROM t WHERE true /*page*/ LIMIT 5", "t.sql:3: nothing may follow the page marker"},
    {SORTED "SELECT a FROM t WHERE true /*page*/\n/*page*/", "t.sql:4: the page marker stands there twice"},
    {"-- name: it\n-- sort: a\nSELECT a FROM t WHERE true /*page*/", "t.sql:2: sort: write `-- sort: name = expression AS column, …`"},
    {"-- name: it\n-- sort: a b = a AS a\nSELECT 1", "t.sql:2: sort: \"a b\" cannot be the name of an order"},
    {"-- name: it\n-- sort: a = a\nSELECT 1", "t.sql:2: sort: each key is `expression [DESC] AS column`"},
    {"-- name: it\n-- sort: a = a AS a b\nSELECT 1", "t.sql:2: sort: each key ends with AS and one result column"},
    {"-- name: it\n-- sort: a = a AS a, b DESC AS b\nSELECT 1", "t.sql:2: sort: all keys of one order must run the same way"},
    {"-- name: it\n-- sort: a = a DESC NULLS LAST AS a\nSELECT 1",
     "t.sql:2: sort: neither comments nor NULLS FIRST/LAST can be part of a key"},
    {"-- name: it\n-- sort: a = a AS a, b AS b, c AS c, d AS d, e AS e\nSELECT 1", "t.sql:2: sort: at most 4 keys"},
    {SORTED "-- sort: a = b AS b\nSELECT a FROM t WHERE true /*page*/", "t.sql:3: sort: \"a\" is there already"},
};

static void faults_are_told_with_their_line(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        char *faults = parse_faults(refusals[i].sql);
        size_t len = strlen(refusals[i].fault);
        if (strncmp(faults, refusals[i].fault, len) != 0 || faults[len] != '\n')
            fail_msg("%s\nexpected: %s\nactual:   %s", refusals[i].sql, refusals[i].fault, faults);
        free(faults);
    }
}

static void all_faults_are_told_at_once(void **state UNUSED)
{
    char *faults = parse_faults("-- name: a\nSELECT $1\n-- name: b\nSELECT 1)\n-- name: c\nSELECT 1");

    assert_non_null(strstr(faults, "t.sql:2: "));
    assert_non_null(strstr(faults, "t.sql:4: "));
    free(faults);
}

/* Found by fuzzing: the statement was cut at the NUL. */
static void a_nul_byte_is_refused(void **state UNUSED)
{
    static const char text[] = "-- name: it\nSELECT 1\0, :a";
    const struct sql_file file = {"t.sql", text, sizeof text - 1};
    char *faults = NULL;
    size_t size = 0;
    FILE *err = open_memstream(&faults, &size);

    assert_null(sql_set_parse(&file, 1, err));
    fclose(err);
    assert_string_equal(faults, "t.sql:2: there is a NUL byte\n");
    free(faults);
}

static void the_twenty_fifth_option_is_refused(void **state UNUSED)
{
    char sql[2000] = "-- name: it\nSELECT 1 WHERE true\n";

    for (int i = 1; i <= 25; i++)
        snprintf(sql + strlen(sql), sizeof sql - strlen(sql), "/*? p%d */ AND :p%d = 1 /*? */\n", i, i);
    char *faults = parse_faults(sql);
    assert_string_equal(faults, "t.sql:27: more than 24 optional parts with a name of their own\n"
                                "t.sql:27: an optional part is closed that was not opened\n");
    free(faults);
}

static void a_case_expression_may_hold_or(void **state UNUSED)
{
    sql_set_free(parse_ok("case", SORTED, "SELECT a FROM t WHERE CASE WHEN a OR b THEN c ELSE d END AND (e OR f) /*page*/"));
}

/* ── threads ── */

static void *ask_all(void *cls)
{
    const struct statement *list = cls;
    uintptr_t sum = 0;

    for (unsigned i = 0; i < 4 * 3 * 3; i++)
        sum += (uintptr_t)statement_variant(list, i % 4, i / 4 % 3, (enum variant_shape)(i / 12));
    return (void *)sum;
}

static void threads_get_the_same_variants(void **state UNUSED)
{
    struct sql_set *set = parse_ok("list", "", list_sql);
    const struct statement *list = sql_set_find(set, "list");
    size_t before = variant_count();
    pthread_t threads[4];
    void *sums[4];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_all, (void *)list), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], &sums[i]), 0);
    for (size_t i = 1; i < ARRAY_LEN(threads); i++)
        assert_ptr_equal(sums[i], sums[0]);
    assert_int_equal(variant_count() - before, 4 * 3 * 2 + 4); /* counts have no order */
    sql_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_found),
        cmocka_unit_test(variants_are_written),
        cmocka_unit_test(the_blocks_are_described),
        cmocka_unit_test(writes_are_recognised),
        cmocka_unit_test(faults_are_told_with_their_line),
        cmocka_unit_test(all_faults_are_told_at_once),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(the_twenty_fifth_option_is_refused),
        cmocka_unit_test(a_case_expression_may_hold_or),
        cmocka_unit_test(threads_get_the_same_variants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
