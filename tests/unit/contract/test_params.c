/* SPDX-License-Identifier: Apache-2.0 */
/* Path, query and header parameters of one request. */
#include "testing.h"

static const char yaml[] =
    "openapi: 3.1.0\n"
    "security: []\n"
    "components: {securitySchemes: {apiKey: {type: http, scheme: bearer}}}\n"
    "paths:\n"
    "  /things:\n"
    "    get:\n"
    "      operationId: listThings\n"
    "      responses: {'200': {}}\n"
    "      parameters:\n"
    "      - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 1000, default: 50}}\n"
    "      - {name: big, in: query, schema: {type: integer}}\n"
    "      - {name: share, in: query, schema: {type: number, minimum: 0, maximum: 100}}\n"
    "      - {name: active, in: query, schema: {type: boolean}}\n"
    "      - {name: name, in: query, schema: {type: string, minLength: 2, maxLength: 20}}\n"
    "      - {name: kind, in: query, schema: {type: string, enum: [PNS, CPNS, PPPK]}}\n"
    "      - {name: since, in: query, schema: {type: string, format: date}}\n"
    "      - {name: code, in: query, schema: {type: string, pattern: '^[A-Z]{2}$'}}\n"
    "      - {name: pin, in: query, schema: {type: integer, x-sensitive: true, maximum: 9999}}\n"
    "      - {name: fields, in: query, explode: false, schema: {type: array, items: {type: string, enum: [nip, name]}, uniqueItems: "
    "true}}\n"
    "      - {name: tag, in: query, schema: {type: array, items: {type: string}, maxItems: 4}}\n"
    "      - {name: year, in: query, schema: {type: array, items: {type: integer, minimum: 2000}}}\n"
    "      - {name: weight, in: query, explode: false, schema: {type: array, items: {type: number}}}\n"
    "      - {name: colours, in: query, schema: {type: array, items: {type: string}, default: [red, 'dark \"blue\"']}}\n"
    "      - {name: X-Trace, in: header, schema: {type: string, maxLength: 5}}\n"
    "      - {name: X-List, in: header, schema: {type: array, items: {type: integer}}}\n"
    "      - {name: X-Names, in: header, explode: true, schema: {type: array, items: {type: string}}}\n"
    "  /things/{id}/{name}:\n"
    "    parameters:\n"
    "    - {name: name, in: path, required: true, schema: {type: string, maxLength: 10}}\n"
    "    - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}\n"
    "    - {name: If-Match, in: header, required: true, schema: {type: string}}\n"
    "    - {name: reason, in: query, required: true, schema: {type: string}}\n"
    "    delete: {operationId: dropThing, responses: {'204': {}}}\n";

static struct contract *contract;

static int load(void **state)
{
    (void)state;
    contract = load_or_die(yaml);
    contract_forget_document(contract); /* as the daemon does */
    return 0;
}

static int drop(void **state)
{
    (void)state;
    contract_free(contract);
    return 0;
}

/* Headers as `Name: value` lines; the first value and how many there are. */
static const char *header_of(void *cls, const char *name, size_t *ret_count)
{
    static char value[200];
    size_t n = 0;
    for (const char *line = cls; *line; line = strchr(line, '\n') + 1) {
        size_t len = strcspn(line, "\n");
        if (strncasecmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
            continue;
        if (n++ == 0)
            snprintf(value, sizeof value, "%.*s", (int)(len - strlen(name) - 2), line + strlen(name) + 2);
    }
    *ret_count = n;
    return n ? value : NULL;
}

static enum status parse(struct ctx *ctx, const char *path, const char *query, const char *headers, struct params *ret)
{
    struct route route;
    assert_true(contract_route(contract, strcmp(path, "/things") == 0 ? HTTP_GET : HTTP_DELETE, slice_of(path), &route));
    return params_parse(ctx, route.operation, &route, query ? slice_of(query) : (struct slice){0}, header_of, (void *)(uintptr_t)headers,
                        ret);
}

static void good_values_become_texts(void **state)
{
    static const struct {
        const char *query, *headers, *name, *text; /* text NULL: absent */
    } cases[] = {
        {NULL, "", "limit", "50"},
        {"", "", "limit", "50"},
        {"&&", "", "limit", "50"},
        {"limit=1", "", "limit", "1"},
        {"limit=1000", "", "limit", "1000"},
        {"%6cimit=7", "", "limit", "7"},
        {"big=-0", "", "big", "-0"},
        {"big=9223372036854775807", "", "big", "9223372036854775807"},
        {"big=-9223372036854775808", "", "big", "-9223372036854775808"},
        {"", "", "big", NULL},
        {"share=0.1", "", "share", "0.1"},
        {"share=3.10", "", "share", "3.10"},
        {"share=1e2", "", "share", "1e2"},
        {"share=99.99999999999999999999", "", "share", "99.99999999999999999999"},
        {"share=-0", "", "share", "-0"},
        {"active=true", "", "active", "true"},
        {"active=false", "", "active", "false"},
        {"name=a+b", "", "name", "a b"},
        {"name=a%2Bb", "", "name", "a+b"},
        {"name=a%20b", "", "name", "a b"},
        {"name=%C3%A9%C3%A9", "", "name", "\xc3\xa9\xc3\xa9"}, /* two characters, four bytes */
        {"name=a=b", "", "name", "a=b"},
        {"name=a%26b", "", "name", "a&b"},
        {"name=NULL", "", "name", "NULL"},
        {"name=a,b", "", "name", "a,b"},
        {"kind=PNS&", "", "kind", "PNS"},
        {"since=2024-02-29", "", "since", "2024-02-29"},
        {"code=AB", "", "code", "AB"},
        {"fields=nip", "", "fields", "{\"nip\"}"},
        {"fields=nip,name", "", "fields", "{\"nip\",\"name\"}"},
        {"fields=nip%2Cname", "", "fields", "{\"nip\",\"name\"}"}, /* as URLSearchParams writes it */
        {"tag=a", "", "tag", "{\"a\"}"},
        {"tag=a&limit=2&tag=b", "", "tag", "{\"a\",\"b\"}"},
        {"tag=a,b", "", "tag", "{\"a,b\"}"},
        {"tag=%22&tag=%5C&tag=NULL&tag=%7B%7D", "", "tag", "{\"\\\"\",\"\\\\\",\"NULL\",\"{}\"}"},
        {"year=2024&year=2025", "", "year", "{\"2024\",\"2025\"}"},
        {"weight=1,2.50,1e2", "", "weight", "{\"1\",\"2.50\",\"1e2\"}"},
        {"", "", "colours", "{\"red\",\"dark \\\"blue\\\"\"}"},
        {"colours=blue", "", "colours", "{\"blue\"}"},
        {"", "X-Trace: abc\n", "x_trace", "abc"},
        {"", "x-trace: a%20b\n", "x_trace", "a%20b"}, /* headers have no escapes */
        {"", "X-List: 1, 2\n", "x_list", "{\"1\",\"2\"}"},
        {"", "X-Names: a,b\n", "x_names", "{\"a\",\"b\"}"},
        {"", "", "x_trace", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        const struct value *v;
        if (parse(&ctx, "/things", cases[i].query, cases[i].headers, &params) != ST_OK)
            fail_msg("?%s %s refused: %s", cases[i].query, cases[i].headers, faults_text(&ctx));
        v = params_find(&params, cases[i].name);
        assert_non_null(v);
        if (!v->text != !cases[i].text || (v->text && strcmp(v->text, cases[i].text) != 0))
            fail_msg("?%s: %s is %s", cases[i].query, cases[i].name, v->text ? v->text : "absent");
        assert_int_equal(v->len, v->text ? strlen(v->text) : 0);
        assert_int_equal(v->is_present, cases[i].text != NULL);
        assert_int_equal(ctx.problem.n_faults, 0);
        arena_free(ctx.arena);
    }
}

static void defaults_are_known_as_such(void **state)
{
    struct ctx ctx = {.arena = arena_new(0)};
    struct params params;
    (void)state;
    assert_int_equal(parse(&ctx, "/things", "tag=a", "", &params), ST_OK);
    assert_true(params_find(&params, "limit")->is_default);
    assert_true(params_find(&params, "colours")->is_default);
    assert_false(params_find(&params, "tag")->is_default);
    assert_int_equal(parse(&ctx, "/things", "limit=50", "", &params), ST_OK);
    assert_false(params_find(&params, "limit")->is_default); /* the client said so */
    assert_null(params_find(&params, "nothing"));
    assert_null(params_text(&params, "nothing"));
    assert_null(params_text(&params, "X-Trace")); /* bind names only */
    arena_free(ctx.arena);
}

static void faults_are_told_all_at_once(void **state)
{
    static const struct {
        const char *query, *headers, *faults;
    } cases[] = {
        {"limit=0", "", "limit too-small this must be at least 1 =0"},
        {"limit=1001", "", "limit too-large this must be at most 1000 =1001"},
        {"limit=abc", "", "limit type this must be a whole number =abc"},
        {"limit=1.0", "", "limit type this must be a whole number =1.0"},
        {"limit=1e1", "", "limit type this must be a whole number =1e1"},
        {"limit=%201", "", "limit type this must be a whole number = 1"},
        {"limit=+1", "", "limit type this must be a whole number = 1"},
        {"limit=%2B1", "", "limit type this must be a whole number =+1"},
        {"limit=007", "", "limit type this must be a whole number =007"},
        {"limit=-", "", "limit type this must be a whole number =-"},
        {"limit=0x10", "", "limit type this must be a whole number =0x10"},
        {"limit=\xd9\xa1", "", "limit type this must be a whole number =\xd9\xa1"},
        {"big=9223372036854775808", "", "big type this must be a whole number =9223372036854775808"},
        {"big=-9223372036854775809", "", "big type this must be a whole number =-9223372036854775809"},
        {"big=00", "", "big type this must be a whole number =00"},
        {"share=100.00000000000000000001", "", "share too-large this must be at most 100 =100.00000000000000000001"},
        {"share=-0.00000000000000000001", "", "share too-small this must be at least 0 =-0.00000000000000000001"},
        {"share=.5", "", "share type this must be a number =.5"},
        {"share=1.", "", "share type this must be a number =1."},
        {"share=%201", "", "share type this must be a number = 1"},
        {"share=NaN", "", "share type this must be a number =NaN"},
        {"share=1e999", "", "share type this must be a number =1e999"},
        {"share=1,5", "", "share type this must be a number =1,5"},
        {"active=1", "", "active type this must be true or false =1"},
        {"active=TRUE", "", "active type this must be true or false =TRUE"},
        {"name=a", "", "name too-short this must have at least 2 characters =a"},
        {"name=%C3%A9", "", "name too-short this must have at least 2 characters =\xc3\xa9"},
        {"name=123456789012345678901", "", "name too-long this may have at most 20 characters =123456789012345678901"},
        {"kind=PSN", "", "kind enum this must be one of: PNS, CPNS, PPPK =PSN ?PNS"},
        {"since=2023-02-29", "", "since format-date this is no date of the calendar; write YYYY-MM-DD =2023-02-29"},
        {"code=ab", "", "code pattern this does not have the form that is asked for =ab ~^[A-Z]{2}$"},
        {"code=AB%0A", "", "code pattern this does not have the form that is asked for =AB\n ~^[A-Z]{2}$"}, /* $ is the very end */
        {"pin=secret", "", "pin type this must be a whole number"},
        {"pin=12345", "", "pin too-large this must be at most 9999"},
        {"fields=nip,nmae", "", "fields enum this must be one of: nip, name =nmae ?name"},
        {"fields=nip,nip", "", "fields duplicate-items this stands there already, as item 0"},
        {"fields=nip,", "", "fields empty fields is empty; leave it out instead"},
        {"fields=nip&fields=name", "", "fields repeated fields was given 2 times"},
        {"tag=a&tag=", "", "tag empty tag is empty; leave it out instead"},
        {"tag=a&tag=b&tag=c&tag=d&tag=e", "", "tag too-many-items this may have at most 4 items"},
        {"year=2024&year=x", "", "year type this must be a whole number =x"},
        {"year=1999", "", "year too-small this must be at least 2000 =1999"},
        {"limit=1&limit=1", "", "limit repeated limit was given 2 times"},
        {"limit=", "", "limit empty limit is empty; leave it out instead"},
        {"limit", "", "limit empty limit is empty; leave it out instead"},
        {"limt=1", "", "limt unknown-parameter there is no such parameter here; is limit meant? ?limit"},
        {"Limit=1", "", "Limit unknown-parameter there is no such parameter here; is limit meant? ?limit"},
        {"zzz=1", "", "zzz unknown-parameter there is no such parameter here"},
        {"=1", "", " unknown-parameter there is no such parameter here"},
        {"x_trace=1", "", "x_trace unknown-parameter there is no such parameter here"}, /* a header is no query parameter */
        {"tag[]=1", "", "tag[] unknown-parameter there is no such parameter here"},
        {"name=%", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"name=%4", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"name=%zz", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"name=%00a", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"name=%C0%AF", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"name=%E0%80%AF", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"name=%ED%A0%80", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"name=%F4%90%80%80", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"name=\xff", "", "name escape this is not UTF-8 in whole percent escapes"},
        {"%ff=1", "", "? escape this is not UTF-8 in whole percent escapes"},
        {"", "X-Trace: abcdef\n", "X-Trace too-long this may have at most 5 characters =abcdef"},
        {"", "X-Trace: a\nx-trace: a\n", "X-Trace repeated X-Trace was given 2 times"},
        {"", "X-Trace: \xe9\n", "X-Trace escape this is not UTF-8 in whole percent escapes"},
        {"", "X-Trace: \n", "X-Trace empty X-Trace is empty; leave it out instead"},
        {"", "X-List: 1,x\n", "X-List type this must be a whole number =x"},
        {"", "X-List: 1\nX-List: 2\n", "X-List repeated X-List was given 2 times"},
        {"", "X-Names: a\nX-Names: b\n", "X-Names repeated X-Names was given 2 times"},
        {"limit=0&zzz=1&active=no", "X-Trace: abcdef\n",
         "zzz unknown-parameter there is no such parameter here\n"
         "limit too-small this must be at least 1 =0\n"
         "active type this must be true or false =no\n"
         "X-Trace too-long this may have at most 5 characters =abcdef"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        enum status st = parse(&ctx, "/things", cases[i].query, cases[i].headers, &params);
        if (strcmp(faults_text(&ctx), cases[i].faults) != 0)
            fail_msg("?%s %s\nsays: %s\nnot:  %s", cases[i].query, cases[i].headers, faults_text(&ctx), cases[i].faults);
        assert_int_equal(st, ST_BAD_REQUEST);
        assert_string_equal(ctx.problem.code, "parameter-invalid");
        assert_int_equal(ctx.problem.first_fault->at, AT_PARAMETER);
        arena_free(ctx.arena);
    }
}

static void faults_are_told_in_indonesian_too(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_ID};
    struct params params;
    (void)state;
    assert_int_equal(
        parse(&ctx, "/things", "limit=x&limt=1&name=&active=1&kind=X&name=%ff&tag=a&share=200&code=AB&code=AB&name=a", "", &params),
        ST_BAD_REQUEST);
    assert_string_equal(faults_text(&ctx), "limt unknown-parameter parameter ini tidak ada di sini; maksudnya limit? ?limit\n"
                                           "name escape ini bukan UTF-8 dengan bentuk persen yang utuh\n"
                                           "limit type ini harus bilangan bulat =x\n"
                                           "share too-large ini paling banyak 100 =200\n"
                                           "active type ini harus true atau false =1\n"
                                           "name repeated name diberikan 2 kali\n"
                                           "kind enum ini harus salah satu dari: PNS, CPNS, PPPK =X\n"
                                           "code repeated code diberikan 2 kali");
    assert_string_equal(ctx.problem.detail, "Ada 8 kesalahan pada parameter.");
    arena_free(ctx.arena);
}

static void a_path_that_fits_no_schema_is_not_found(void **state)
{
    static const struct {
        const char *path;
        enum status status;
    } cases[] = {
        {"/things/1/a", ST_OK},
        {"/things/1/a%2Fb", ST_OK},
        {"/things/1/a+b", ST_OK},
        {"/things/0/a", ST_NOT_FOUND},
        {"/things/x/a", ST_NOT_FOUND},
        {"/things/01/a", ST_NOT_FOUND},
        {"/things/1/12345678901", ST_NOT_FOUND},
        {"/things/1/%", ST_NOT_FOUND},
        {"/things/1/%00", ST_NOT_FOUND},
        {"/things/1/%ff", ST_NOT_FOUND},
        {"/things/%20/a", ST_NOT_FOUND},
        {"/things/1%20/a", ST_NOT_FOUND},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        /* whatever else is wrong, what is not there has no parameters */
        const char *query = cases[i].status == ST_OK ? "reason=x" : "bogus=1";
        enum status st = parse(&ctx, cases[i].path, query, "If-Match: \"1\"\n", &params);
        if (st != cases[i].status)
            fail_msg("%s: %s %s", cases[i].path, status_name(st), faults_text(&ctx));
        if (st == ST_NOT_FOUND) {
            assert_string_equal(ctx.problem.code, "not-found");
            assert_int_equal(ctx.problem.n_faults, 0);
        }
        arena_free(ctx.arena);
    }
}

static void path_values_are_decoded_but_plus_is_plus(void **state)
{
    struct ctx ctx = {.arena = arena_new(0)};
    struct params params;
    (void)state;
    assert_int_equal(parse(&ctx, "/things/12/a+%2F%41", "reason=a+b", "If-Match: \"1\"\n", &params), ST_OK);
    assert_string_equal(params_text(&params, "id"), "12");
    assert_string_equal(params_text(&params, "name"), "a+/A");
    assert_string_equal(params_text(&params, "reason"), "a b");
    assert_string_equal(params_text(&params, "if_match"), "\"1\"");
    arena_free(ctx.arena);
}

static void if_match_is_missed_last(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct params params;
    (void)state;
    assert_int_equal(parse(&ctx, "/things/1/a", "reason=x", "", &params), ST_PRECONDITION_REQUIRED);
    assert_string_equal(ctx.problem.code, "precondition-required");
    assert_int_equal(ctx.problem.n_faults, 0);
    problem_clear(&ctx);
    assert_int_equal(parse(&ctx, "/things/1/a", "", "", &params), ST_BAD_REQUEST); /* reason is missing, that comes first */
    assert_string_equal(faults_text(&ctx), "reason required reason is missing");
    problem_clear(&ctx);
    assert_int_equal(parse(&ctx, "/things/0/a", "", "", &params), ST_NOT_FOUND);
    problem_clear(&ctx);
    assert_int_equal(parse(&ctx, "/things/1/a", "reason=x", "If-Match: \"1\"\nIf-Match: \"2\"\n", &params), ST_BAD_REQUEST);
    assert_string_equal(faults_text(&ctx), "If-Match repeated If-Match was given 2 times");
    arena_free(ctx.arena);
}

static void derived_values_come_first(void **state)
{
    struct ctx ctx = {.arena = arena_new(0)};
    struct params params;
    (void)state;
    assert_int_equal(parse(&ctx, "/things", "", "", &params), ST_OK);
    params_derive(&ctx, &params, "hours", "12");
    params_derive(&ctx, &params, "limit", "7");
    params_derive(&ctx, &params, "hours", "13");
    params_derive(&ctx, &params, "nothing", NULL);
    assert_string_equal(params_text(&params, "hours"), "13");
    assert_int_equal(params_find(&params, "hours")->len, 2);
    assert_string_equal(params_text(&params, "limit"), "7");
    assert_true(params_find(&params, "nothing")->is_null);
    assert_null(params_text(&params, "nothing"));
    arena_free(ctx.arena);
}

/* A target of some hundred kilobytes, should the door let it in, costs neither time nor memory out of measure. */
static void hostile_queries_are_cheap(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct params params;
    struct buf query;
    (void)state;
    buf_init(&query, ctx.arena, 1 << 20);
    for (int i = 0; i < 50000; i++)
        buf_printf(&query, "limi%d&", i % 10);
    assert_int_equal(parse(&ctx, "/things", buf_cstr(&query), "", &params), ST_BAD_REQUEST);
    assert_int_equal(ctx.problem.n_faults, 50000);
    assert_true(arena_used(ctx.arena) < 8u << 20);
    arena_free(ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_become_texts),
        cmocka_unit_test(defaults_are_known_as_such),
        cmocka_unit_test(faults_are_told_all_at_once),
        cmocka_unit_test(faults_are_told_in_indonesian_too),
        cmocka_unit_test(a_path_that_fits_no_schema_is_not_found),
        cmocka_unit_test(path_values_are_decoded_but_plus_is_plus),
        cmocka_unit_test(if_match_is_missed_last),
        cmocka_unit_test(derived_values_come_first),
        cmocka_unit_test(hostile_queries_are_cheap),
    };
    return cmocka_run_group_tests(tests, load, drop);
}
