/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies: read strictly, validated with all faults at once, their members as texts for PostgreSQL. Seconds are counted in the loosest
 * bounds that still tell n log n from n². */
#include "testing.h"

#include <time.h>

static const char yaml[] = "openapi: 3.1.0\n"
                           "security: []\n"
                           "components:\n"
                           "  securitySchemes: {apiKey: {type: http, scheme: bearer}}\n"
                           "  schemas:\n"
                           "    Secret: {type: string, minLength: 8, pattern: '^[a-z]+$', enum: [correcthorse]}\n"
                           "    Base:\n"
                           "      type: object\n"
                           "      required: [name]\n"
                           "      properties: {name: {type: string, minLength: 1}, born_on: {type: string, format: date}}\n"
                           "    Pns:\n"
                           "      type: object\n"
                           "      required: [kind, nip]\n"
                           "      properties: {kind: {const: PNS}, nip: {type: string, pattern: '^[0-9]{18}$'}}\n"
                           "    Guest:\n"
                           "      type: object\n"
                           "      required: [kind, company]\n"
                           "      properties: {kind: {const: GUEST}, company: {type: string}}\n"
                           "paths:\n"
                           "  /any:\n"
                           "    post:\n"
                           "      operationId: any\n"
                           "      requestBody: {required: true, content: {application/json: {schema: true}}}\n"
                           "      responses: {'200': {}}\n"
                           "  /maybe:\n"
                           "    post:\n"
                           "      operationId: maybe\n"
                           "      requestBody: {content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}\n"
                           "      responses: {'200': {}}\n"
                           "  /things:\n"
                           "    post:\n"
                           "      operationId: createThing\n"
                           "      responses: {'201': {}}\n"
                           "      requestBody:\n"
                           "        required: true\n"
                           "        content:\n"
                           "          application/json:\n"
                           "            schema:\n"
                           "              type: object\n"
                           "              additionalProperties: false\n"
                           "              required: [name]\n"
                           "              properties:\n"
                           "                name: {type: string, maxLength: 10}\n"
                           "                share: {type: number, minimum: 0, maximum: 100}\n"
                           "                seats: {type: integer, minimum: 0}\n"
                           "                active: {type: boolean}\n"
                           "                note: {type: [string, 'null']}\n"
                           "                names: {type: array, items: {type: string}}\n"
                           "                grades: {type: array, items: {type: number}}\n"
                           "                counts: {type: array, items: {type: integer}}\n"
                           "                rows: {type: array, items: {type: object, properties: {n: {type: number}}}}\n"
                           "                grid: {type: array, items: {type: array, items: {type: integer}}}\n"
                           "                extra: {type: object}\n"
                           "                anything: {}\n"
                           "                since: {anyOf: [{type: string, format: date}, {type: 'null'}]}\n"
                           "                grade: {oneOf: [{type: 'null'}, {type: number, maximum: 4}]}\n"
                           "                who: {oneOf: [{$ref: '#/components/schemas/Pns'}, {$ref: '#/components/schemas/Guest'}]}\n"
                           "                a/b: {type: integer}\n"
                           "                m~n: {type: integer}\n"
                           "                '': {type: integer}\n"
                           "                ids: {type: array, uniqueItems: true, items: {type: [integer, number, string]}}\n"
                           "                bag: {type: array, uniqueItems: true}\n"
                           "                kinds: {type: array, items: {enum: [PNS, CPNS, PPPK, PPPK_PARUH_WAKTU]}}\n"
                           "                slow: {type: string, pattern: '^(a+)+$'}\n"
                           "                password: {type: string, writeOnly: true, minLength: 8, pattern: '^[a-z]+$'}\n"
                           "                token: {x-sensitive: true, $ref: '#/components/schemas/Secret'}\n"
                           "                tokens: {type: array, x-sensitive: true, items: {type: string, enum: [x]}}\n"
                           "                vault: {type: object, writeOnly: true, properties: {pin: {type: integer, maximum: 9999}}}\n"
                           "                lock: {anyOf: [{type: 'null'}, {allOf: [{type: string, x-sensitive: true}, {maxLength: 3}]}]}\n"
                           "  /people:\n"
                           "    post:\n"
                           "      operationId: createPerson\n"
                           "      responses: {'201': {}}\n"
                           "      requestBody:\n"
                           "        required: true\n"
                           "        content:\n"
                           "          application/json:\n"
                           "            schema:\n"
                           "              allOf: [{$ref: '#/components/schemas/Base'}]\n"
                           "              properties: {email: {type: string, format: email}}\n"
                           "              unevaluatedProperties: false\n";

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

static enum status parse(struct ctx *ctx, const char *id, const char *body, size_t len, struct params *ret)
{
    const struct operation *operation = contract_find(contract, id);
    assert_non_null(operation);
    *ret = (struct params){.operation = operation,
                           .values = arena_zalloc_array(ctx->arena, operation->n_params + 1, sizeof *ret->values),
                           .members = arena_zalloc_array(ctx->arena, operation->n_body_members + 1, sizeof *ret->members)};
    return params_parse_body(ctx, (struct slice){body, len}, ret);
}

static void members_become_texts(void **state)
{
    static const struct {
        const char *member, *json, *text; /* text NULL: null */
    } cases[] = {
        {"share", "0.1", "0.1"},
        {"share", "3.10", "3.10"},
        {"share", "1e2", "1e2"},
        {"share", "1E+1", "1E+1"},
        {"share", "0.12345678901234567891", "0.12345678901234567891"},
        {"share", "99.99999999999999999999", "99.99999999999999999999"},
        {"share", "-0.0", "-0.0"},
        {"share", "7", "7"},
        {"seats", "9223372036854775807", "9223372036854775807"},
        {"seats", "100.0", "100"}, /* whole to JSON Schema; PostgreSQL's integers take no point */
        {"seats", "1e2", "100"},
        {"seats", "1.5e1", "15"},
        {"seats", "-0.0", "0"},
        {"active", "true", "true"},
        {"active", "false", "false"},
        {"note", "null", NULL},
        {"note", "\"null\"", "null"},
        {"note", "\"\"", ""},
        {"note", "\"caf\\u00e9 \\ud83d\\ude00 \\\"\\\\\"", "caf\xc3\xa9 \xf0\x9f\x98\x80 \"\\"},
        {"names", "[]", "{}"},
        {"names", "[\"a\", \"b c\", \"\"]", "{\"a\",\"b c\",\"\"}"},
        {"names", "[\"NULL\", \"\\\"\", \"\\\\\", \"{,}\"]", "{\"NULL\",\"\\\"\",\"\\\\\",\"{,}\"}"},
        {"grades", "[3.10, 1e2, 0.12345678901234567891]", "{\"3.10\",\"1e2\",\"0.12345678901234567891\"}"},
        {"counts", "[1, 2.0, 3e1]", "{\"1\",\"2\",\"30\"}"},
        {"rows", "[]", "[]"}, /* read as jsonb, so {} would be another thing */
        {"rows", "[{\"n\": 3.10}, {\"n\": 0.1}]", "[{\"n\":3.10},{\"n\":0.1}]"},
        {"grid", "[[1,2],[]]", "[[1,2],[]]"},
        {"extra", "{}", "{}"},
        {"extra", "{\"b\": [1.50, null, true, \"\\\"\"], \"a\": {}}", "{\"b\":[1.50,null,true,\"\\\"\"],\"a\":{}}"},
        {"anything", "12", "12"},
        {"anything", "[1]", "[1]"},
        {"since", "\"2026-01-31\"", "2026-01-31"},
        {"since", "null", NULL},
        {"a/b", "1", "1"},
        {"", "1", "1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        const struct value *v;
        const char *body = arena_printf(ctx.arena, " {\"name\":\"x\", \"%s\": %s} ", cases[i].member, cases[i].json);
        if (parse(&ctx, "createThing", body, strlen(body), &params) != ST_OK)
            fail_msg("%s refused: %s", body, faults_text(&ctx));
        v = params_find(&params, cases[i].member);
        assert_non_null(v);
        if (!v->text != !cases[i].text || (v->text && strcmp(v->text, cases[i].text) != 0))
            fail_msg("%s is %s, not %s", body, v->text ? v->text : "null", cases[i].text ? cases[i].text : "null");
        assert_int_equal(v->len, v->text ? strlen(v->text) : 0);
        assert_true(v->is_present);
        assert_int_equal(v->is_null, !cases[i].text);
        assert_false(params_find(&params, "kinds")->is_present);
        assert_int_equal(params.raw_body.len, strlen(body));
        arena_free(ctx.arena);
    }
}

static void absent_bodies(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct params params;
    (void)state;
    assert_int_equal(parse(&ctx, "maybe", "", 0, &params), ST_OK);
    assert_null(params.body);
    assert_int_equal(parse(&ctx, "maybe", " \r\n\t", 4, &params), ST_OK);
    assert_false(params_find(&params, "a")->is_present);
    assert_int_equal(parse(&ctx, "maybe", NULL, 0, &params), ST_OK);
    assert_int_equal(parse(&ctx, "any", "", 0, &params), ST_BAD_REQUEST);
    assert_string_equal(ctx.problem.code, "bad-json");
    assert_string_equal(ctx.problem.detail, "This operation needs a JSON body.");
    arena_free(ctx.arena);
}

static char *nested(const char *open, const char *close, int n)
{
    char *text = calloc(1, (strlen(open) + strlen(close)) * (size_t)n + 2), *p = text;
    assert_non_null(text);
    for (int i = 0; i < n; i++)
        p = stpcpy(p, open);
    *p++ = '1';
    for (int i = 0; i < n; i++)
        p = stpcpy(p, close);
    return text;
}

static void what_is_no_json_is_explained(void **state)
{
    static const struct {
        const char *body;
        size_t len; /* 0: strlen */
        const char *says;
    } cases[] = {
        {"{", 0, "line 1, column 1. It ends before it is complete."},
        {"{\n\"a\": tru}", 0, "line 2, column 8."},
        {"[1,]", 0, "line 1, column 4."},
        {"{'a':1}", 0, "line 1, column 2."},
        {"[01]", 0, "line 1"},
        {"[.5]", 0, "line 1"},
        {"[+1]", 0, "line 1"},
        {"[1.]", 0, "line 1"},
        {"NaN", 0, "line 1"},
        {"// words\n1", 0, "line 1"},
        {"{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", 0, "A member stands twice in one object, near line 1"},
        {"{\"a\":1,\"\\u0061\":2}", 0, "A member stands twice"},
        {"[\"a\\u0000b\"]", 0, "holds the character NUL"},
        {"{\"a\\u0000b\":1}", 0, "holds the character NUL"},
        {"[\"a\0b\"]", 7, "line 1"},
        {"[1]\0", 4, "line 1"},
        {"[\"\xff\"]", 0, "is not UTF-8"},
        {"[\"\xc0\xaf\"]", 0, "is not UTF-8"},
        {"[\"\xed\xa0\x80\"]", 0, "is not UTF-8"},
        {"[\"\\ud800\"]", 0, "line 1"},
        {"[\"\\udc00\"]", 0, "line 1"},
        {"[\"a\nb\"]", 0, "line 1"},
        {"\xef\xbb\xbf{}", 0, "byte order mark"},
        {"name=Siti&kind=PNS", 0, "looks like a form. With curl write --json"},
        {"@file.json", 0, "the name of a file"},
        {"'{\"a\":1}'", 0, "single quote"},
        {"{\"a\":1}{\"a\":2}", 0, "--data-binary @file keeps them"},
        {"{\"a\":1}\n{\"a\":2}\n", 0, "There is more after the first value"},
        {"[1] x", 0, "line 1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        enum status st = parse(&ctx, "any", cases[i].body, cases[i].len ? cases[i].len : strlen(cases[i].body), &params);
        if (st != ST_BAD_REQUEST || strcmp(ctx.problem.code, "bad-json") != 0 || !strstr(ctx.problem.detail, cases[i].says))
            fail_msg("%s: %s %s", cases[i].body, status_name(st), ctx.problem.detail);
        assert_int_equal(ctx.problem.n_faults, 0);
        ctx.lang = LANG_ID;
        assert_int_equal(parse(&ctx, "any", cases[i].body, cases[i].len ? cases[i].len : strlen(cases[i].body), &params), ST_BAD_REQUEST);
        assert_null(strstr(ctx.problem.detail, " the "));
        arena_free(ctx.arena);
    }
}

static void depth_is_64(void **state)
{
    static const struct {
        const char *open, *close;
        int n;
        bool fine;
    } cases[] = {
        {"[", "]", 64, true}, {"[", "]", 65, false}, {"{\"a\":", "}", 64, true}, {"{\"a\":", "}", 65, false}, {"[", "", 1000000, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        char *body = nested(cases[i].open, cases[i].close, cases[i].n);
        assert_int_equal(parse(&ctx, "any", body, strlen(body), &params), cases[i].fine ? ST_OK : ST_BAD_REQUEST);
        if (!cases[i].fine)
            assert_string_equal(ctx.problem.detail, "The body is nested deeper than 64 levels.");
        free(body);
        arena_free(ctx.arena);
    }
    struct ctx ctx = {.arena = arena_new(0)};
    struct params params;
    char brackets[200] = "[\"\\\"";
    memset(brackets + 4, '[', 190);
    strcpy(brackets + 194, "\"]"); /* within a text they are letters */
    assert_int_equal(parse(&ctx, "any", brackets, strlen(brackets), &params), ST_OK);
    arena_free(ctx.arena);
}

static void faults_have_pointers(void **state)
{
    static const struct {
        const char *id, *body, *faults;
    } cases[] = {
        {"createThing", "[]", " type this must be an object"},
        {"createThing", "null", " type this must be an object =null"},
        {"createThing", "{}", "/name required name is missing"},
        {"createThing", "{\"name\":null}", "/name type this must be a text =null"},
        {"createThing", "{\"name\":\"x\",\"nmae\":1}", "/nmae unknown-member there is no member \"nmae\" here; is \"name\" meant? ?name"},
        {"createThing", "{\"name\":\"x\",\"zzzz\":1}", "/zzzz unknown-member there is no member \"zzzz\" here"},
        {"createThing", "{\"name\":\"x\",\"x/y~z\":1}", "/x~1y~0z unknown-member there is no member \"x/y~z\" here"},
        {"createThing", "{\"name\":\"x\",\"a/b\":\"\",\"m~n\":\"\",\"\":\"\"}",
         "/a~1b type this must be a whole number =\n/m~0n type this must be a whole number =\n/ type this must be a whole number ="},
        {"createThing", "{\"name\":\"x\",\"share\":100.00000000000000000001}",
         "/share too-large this must be at most 100 =100.00000000000000000001"},
        {"createThing", "{\"name\":\"x\",\"share\":1e400}", NULL},
        {"createThing", "{\"name\":\"x\",\"share\":1e-500}",
         "/share number-range this number has too many digits or too large an exponent"},
        {"createThing", "{\"name\":\"x\",\"seats\":1.5}", "/seats type this must be a whole number =1.5"},
        {"createThing", "{\"name\":\"x\",\"rows\":[{\"n\":1},{\"n\":\"2\"},3]}",
         "/rows/1/n type this must be a number =2\n/rows/2 type this must be an object =3"},
        {"createThing", "{\"name\":\"12345678901\",\"active\":0,\"names\":[1,\"b\",true],\"share\":-1,\"bogus\":1}",
         "/name too-long this may have at most 10 characters =12345678901\n"
         "/active type this must be true or false =0\n"
         "/names/0 type this must be a text =1\n"
         "/names/2 type this must be a text =true\n"
         "/share too-small this must be at least 0 =-1\n"
         "/bogus unknown-member there is no member \"bogus\" here"},
        /* the branch that was meant */
        {"createThing", "{\"name\":\"x\",\"since\":\"2023-02-29\"}",
         "/since format-date this is no date of the calendar; write YYYY-MM-DD =2023-02-29"},
        {"createThing", "{\"name\":\"x\",\"since\":20230101}", "/since type this must be a text =20230101"},
        {"createThing", "{\"name\":\"x\",\"grade\":5}", "/grade too-large this must be at most 4 =5"},
        {"createThing", "{\"name\":\"x\",\"grade\":\"5\"}", "/grade type this must be a number =5"},
        {"createThing", "{\"name\":\"x\",\"who\":{\"kind\":\"PNS\",\"nip\":\"1\"}}",
         "/who/nip pattern this does not have the form that is asked for =1 ~^[0-9]{18}$"},
        {"createThing", "{\"name\":\"x\",\"who\":{\"kind\":\"GUEST\"}}", "/who/company required company is missing"},
        {"createThing", "{\"name\":\"x\",\"who\":{\"kind\":\"X\"}}",
         "/who one-of give either `kind` \"PNS\" and `nip`, or `kind` \"GUEST\" and `company`"},
        {"createThing", "{\"name\":\"x\",\"who\":1}", "/who one-of this has none of the 2 forms that are allowed here"},
        /* equal by value */
        {"createThing", "{\"name\":\"x\",\"ids\":[1,2,1.0]}", "/ids/2 duplicate-items this stands there already, as item 0"},
        {"createThing", "{\"name\":\"x\",\"ids\":[100,\"100\",1e2]}", "/ids/2 duplicate-items this stands there already, as item 0"},
        {"createThing", "{\"name\":\"x\",\"bag\":[{\"a\":1,\"b\":[2]},{\"b\":[2.0],\"a\":1}]}",
         "/bag/1 duplicate-items this stands there already, as item 0"},
        {"createThing", "{\"name\":\"x\",\"bag\":[0,-0.0]}", "/bag/1 duplicate-items this stands there already, as item 0"},
        /* suggestions through allOf */
        {"createPerson", "{\"name\":\"x\",\"bron_on\":1}",
         "/bron_on unknown-member there is no member \"bron_on\" here; is \"born_on\" meant? ?born_on"},
        {"createPerson", "{\"name\":\"\",\"email\":\"x\"}",
         "/email format-email this is no e-mail address =x\n/name too-short this must have at least 1 characters ="},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        enum status st = parse(&ctx, cases[i].id, cases[i].body, strlen(cases[i].body), &params);
        if (cases[i].faults && strcmp(faults_text(&ctx), cases[i].faults) != 0)
            fail_msg("%s\nsays: %s\nnot:  %s", cases[i].body, faults_text(&ctx), cases[i].faults);
        assert_int_equal(st, ST_INVALID);
        assert_string_equal(ctx.problem.code, "invalid");
        assert_true(!ctx.problem.first_fault || ctx.problem.first_fault->at == AT_BODY);
        arena_free(ctx.arena);
    }
}

static void faults_in_indonesian(void **state)
{
    static const char body[] = "{\"nmae\":1,\"share\":101,\"seats\":\"x\",\"since\":\"2023-02-29\",\"kinds\":[\"PSN\"],\"ids\":[1,1]}";
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_ID};
    struct params params;
    (void)state;
    assert_int_equal(parse(&ctx, "createThing", body, strlen(body), &params), ST_INVALID);
    assert_string_equal(faults_text(&ctx), "/name required name belum ada\n"
                                           "/nmae unknown-member tidak ada anggota \"nmae\" di sini; maksudnya \"name\"? ?name\n"
                                           "/share too-large ini paling banyak 100 =101\n"
                                           "/seats type ini harus bilangan bulat =x\n"
                                           "/since format-date ini bukan tanggal kalender; tulis YYYY-MM-DD =2023-02-29\n"
                                           "/kinds/0 enum ini harus salah satu dari: PNS, CPNS, PPPK, PPPK_PARUH_WAKTU =PSN ?PNS\n"
                                           "/ids/1 duplicate-items ini sudah ada, sebagai butir 0");
    assert_string_equal(ctx.problem.detail, "Ada 7 kesalahan pada isi permintaan.");
    arena_free(ctx.arena);
}

static void secrets_never_come_back(void **state)
{
    static const char *const bodies[] = {
        "{\"name\":\"x\",\"password\":\"S3CRET\"}", "{\"name\":\"x\",\"token\":\"S3CRET\"}",
        "{\"name\":\"x\",\"tokens\":[\"S3CRET\"]}", "{\"name\":\"x\",\"vault\":{\"pin\":\"S3CRET\"}}",
        "{\"name\":\"x\",\"vault\":\"S3CRET\"}",    "{\"name\":\"x\",\"lock\":\"S3CRET\"}",
        "{\"name\":\"x\",\"token\":[\"S3CRET\"]}",  "{\"name\":\"x\",\"password\":\"S3CRET\",\"bogus\":\"\"}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = i % 2 ? LANG_EN : LANG_ID};
        struct params params;
        struct buf out;
        assert_int_equal(parse(&ctx, "createThing", bodies[i], strlen(bodies[i]), &params), ST_INVALID);
        assert_true(ctx.problem.n_faults > 0);
        buf_init(&out, ctx.arena, 256);
        problem_write(&out, &ctx, "/things");
        if (strstr(buf_cstr(&out), "S3CRET"))
            fail_msg("%s: %s", bodies[i], buf_cstr(&out));
        arena_free(ctx.arena);
    }
}

static void only_the_first_faults_are_kept_but_all_are_counted(void **state)
{
    struct ctx ctx = {.arena = arena_new(0)};
    struct params params;
    struct buf body;
    int kept = 0;
    (void)state;
    buf_init(&body, ctx.arena, 4096);
    buf_puts(&body, "{\"name\":\"x\",\"names\":[0");
    for (int i = 1; i < 250; i++)
        buf_puts(&body, ",0");
    buf_puts(&body, "]}");
    assert_int_equal(parse(&ctx, "createThing", body.data, body.len, &params), ST_INVALID);
    assert_int_equal(ctx.problem.n_faults, 250);
    for (const struct fault *f = ctx.problem.first_fault; f; f = f->next)
        kept++;
    assert_int_equal(kept, PROBLEM_FAULTS_MAX);
    arena_free(ctx.arena);
}

/* ── hostile bodies ── */

/* `n` times the item (with its number) as a list or as members. */
static void write_many(struct buf *body, const char *begin, const char *item, const char *end, int n)
{
    buf_puts(body, begin);
    for (int i = 0; i < n; i++) {
        if (i)
            buf_putc(body, ',');
        for (const char *p = item; *p; p++) {
            if (*p == '#')
                buf_put_i64(body, i);
            else
                buf_putc(body, *p);
        }
    }
    buf_puts(body, end);
}

static void hostile_bodies_are_cheap(void **state)
{
    static const struct {
        const char *begin, *item, *end;
        int n;
        enum status status;
    } cases[] = {
        {"{\"name\":\"x\",\"ids\":[", "#", "]}", 100000, ST_OK},
        {"{\"name\":\"x\",\"ids\":[", "\"a long common beginning of every one of the items #\"", "]}", 100000, ST_OK},
        {"{\"name\":\"x\",\"ids\":[", "#.5", "]}", 100000, ST_OK},
        {"{\"name\":\"x\",\"ids\":[", "#e200", "]}", 50000, ST_OK},
        {"{\"name\":\"x\",\"bag\":[", "{\"a\":#,\"b\":[]}", "]}", 100000, ST_OK},
        {"{\"name\":\"x\",\"ids\":[", "7", "]}", 100000, ST_INVALID},
        {"{\"name\":\"x\",\"kinds\":[", "\"PSN\"", "]}", 100000, ST_INVALID},
        {"{\"name\":\"x\",\"kinds\":[", "#", "]}", 100000, ST_INVALID},
        {"{\"name\":\"x\",\"names\":[", "#", "]}", 100000, ST_INVALID},
        {"{\"name\":\"x\",", "\"nam#\":1", "}", 100000, ST_INVALID},
        {"{\"name\":\"x\",\"rows\":[", "{\"n\":\"\"}", "]}", 100000, ST_INVALID},
        {"{\"name\":\"x\",\"who\":[", "1", "]}", 100000, ST_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        struct buf body;
        clock_t begin;
        double seconds;
        size_t used;
        enum status st;
        buf_init(&body, NULL, 1 << 20);
        write_many(&body, cases[i].begin, cases[i].item, cases[i].end, cases[i].n);
        begin = clock();
        st = parse(&ctx, "createThing", body.data, body.len, &params);
        seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
        used = arena_used(ctx.arena);
        if (st != cases[i].status || seconds > 3 || used > 40 * body.len + (1u << 20))
            fail_msg("%s%s…: %s in %.2f s, %zu bytes for %zu; %s", cases[i].begin, cases[i].item, status_name(st), seconds, used, body.len,
                     ctx.problem.detail ? ctx.problem.detail : "");
        arena_free(ctx.arena);
        buf_done(&body);
    }
}

static void patterns_that_backtrack_are_bounded(void **state)
{
    char body[20000] = "{\"name\":\"x\",\"slow\":\"";
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct params params;
    size_t begin = strlen(body);
    clock_t started = clock();
    (void)state;
    memset(body + begin, 'a', 40);
    strcpy(body + begin + 40, "!\"}");
    assert_int_equal(parse(&ctx, "createThing", body, strlen(body), &params), ST_INVALID);
    assert_string_equal(ctx.problem.first_fault->code, "pattern");
    assert_true((double)(clock() - started) / CLOCKS_PER_SEC < 1);
    problem_clear(&ctx);
    memset(body + begin, 'a', 15000); /* long, but honest */
    strcpy(body + begin + 15000, "\"}");
    assert_int_equal(parse(&ctx, "createThing", body, strlen(body), &params), ST_OK);
    arena_free(ctx.arena);
}

/* Exponents that no exact number can have must not get as far as arithmetic. */
static void exponents_beyond_all_bounds(void **state)
{
    static const struct {
        const char *member;
        enum status status;
    } cases[] = {
        {"\"ids\":[1.5e-99999999999999999999,1]", ST_INVALID},
        {"\"bag\":[1.5e-99999999999999999999,1]", ST_OK}, /* no schema speaks of its items */
        {"\"bag\":[1.5e-9223372036854775807,0.0001e-9223372036854775808]", ST_OK},
        {"\"share\":1.5e-99999999999999999999", ST_INVALID},
        {"\"seats\":0e99999999999999999999", ST_INVALID},
        {"\"seats\":0e-99999999999999999999", ST_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
        struct params params;
        const char *body = arena_printf(ctx.arena, "{\"name\":\"x\",%s}", cases[i].member);
        enum status st = parse(&ctx, "createThing", body, strlen(body), &params);
        if (st != cases[i].status)
            fail_msg("%s: %s", body, status_name(st));
        arena_free(ctx.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_become_texts),         cmocka_unit_test(absent_bodies),
        cmocka_unit_test(what_is_no_json_is_explained), cmocka_unit_test(depth_is_64),
        cmocka_unit_test(faults_have_pointers),         cmocka_unit_test(faults_in_indonesian),
        cmocka_unit_test(secrets_never_come_back),      cmocka_unit_test(only_the_first_faults_are_kept_but_all_are_counted),
        cmocka_unit_test(hostile_bodies_are_cheap),     cmocka_unit_test(patterns_that_backtrack_are_bounded),
        cmocka_unit_test(exponents_beyond_all_bounds),
    };
    return cmocka_run_group_tests(tests, load, drop);
}
