/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.yaml → operations: what is taken from where, and every way in which a contract is refused, with its line and place. */
#include "testing.h"

#define HEAD                                                                                                                               \
    "openapi: 3.1.0\n"                                                                                                                     \
    "info: {title: t, version: '1'}\n"                                                                                                     \
    "security: [{apiKey: [root.scope]}]\n"
#define SCHEME "  securitySchemes: {apiKey: {type: http, scheme: bearer}}\n"
#define TAIL   "components:\n" SCHEME

static const char whole[] = HEAD "paths:\n"                                                                              /* 4 */
                                 "  /v1/things/{thing_id}/parts/{n}:\n"                                                  /* 5 */
                                 "    parameters:\n"                                                                     /* 6 */
                                 "      - {name: n, in: path, required: true, schema: {type: integer}}\n"                /* 7 */
                                 "      - {name: limit, in: query, schema: {type: string}}\n"                            /* 8 */
                                 "    get:\n"                                                                            /* 9 */
                                 "      operationId: listParts\n"                                                        /* 10 */
                                 "      summary: Parts\n"                                                                /* 11 */
                                 "      parameters:\n"                                                                   /* 12 */
                                 "        - $ref: '#/components/parameters/If'\n"                                        /* 13 */
                                 "        - {name: limit, in: query, schema: {type: integer, maximum: 9, default: 5}}\n" /* 14 */
                                 "        - {name: thing_id, in: path, required: true, schema: {type: string}}\n"        /* 15 */
                                 "        - {name: kind, in: query, explode: false, schema: {type: array, default: [a, b],"
                                 " items: {enum: [a, b]}}}\n"
                                 "      x-timeout-ms: 100\n"
                                 "      responses:\n"
                                 "        '404': {$ref: '#/components/responses/No'}\n"
                                 "        '206': {description: d}\n"
                                 "        '200':\n"
                                 "          description: d\n"
                                 "          content:\n"
                                 "            application/json: {schema: {$ref: '#/components/schemas/List'}}\n"
                                 "            text/csv: {}\n"
                                 "  /v1/things:\n"
                                 "    post:\n"
                                 "      operationId: createThing\n"
                                 "      security: [{apiKey: [a.write, b.write]}]\n"
                                 "      x-retry: true\n"
                                 "      x-location: /v1/things/{id}\n"
                                 "      x-body-limit: 1000\n"
                                 "      requestBody: {$ref: '#/components/requestBodies/Thing'}\n"
                                 "      responses:\n"
                                 "        '201':\n"
                                 "          description: d\n"
                                 "          content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}, example: {id: x}}}\n"
                                 "  /livez:\n"
                                 "    get:\n"
                                 "      operationId: livez\n"
                                 "      security: []\n"
                                 "      responses: {'204': {description: d}}\n" TAIL "  parameters:\n"
                                 "    If: {name: If-Match, in: header, required: true, schema: {type: string}}\n"
                                 "  responses:\n"
                                 "    'No': {description: d, content: {application/problem+json: {schema: {type: object}}}}\n"
                                 "  requestBodies:\n"
                                 "    Thing:\n"
                                 "      required: true\n"
                                 "      content:\n"
                                 "        application/merge-patch+json: {schema: {$ref: '#/components/schemas/Thing'}}\n"
                                 "        text/csv: {}\n"
                                 "  schemas:\n"
                                 "    Base:\n"
                                 "      type: object\n"
                                 "      properties:\n"
                                 "        id: {type: string, format: uuid, readOnly: true}\n"
                                 "        secret: {$ref: '#/components/schemas/Nik'}\n"
                                 "        wide: {type: string}\n"
                                 "    Nik: {type: [string, 'null'], x-scope: a.sensitive}\n"
                                 "    Thing:\n"
                                 "      allOf:\n"
                                 "        - {required: [tags, id]}\n"
                                 "        - {$ref: '#/components/schemas/Base'}\n"
                                 "      properties:\n"
                                 "        tags: {type: array, items: {anyOf: [{type: 'null'}, {type: string}]}}\n"
                                 "        wide: {const: narrow}\n"
                                 "        either: {oneOf: [{type: string}, {type: integer}]}\n"
                                 "    List:\n"
                                 "      type: object\n"
                                 "      properties:\n"
                                 "        data: {type: array, items: {$ref: '#/components/schemas/Thing'}}\n"
                                 "        page: {type: object, properties: {next: {type: [string, 'null']}}}\n"
                                 "x-problems:\n"
                                 "  thing-taken: {status: 409, title: {en: Taken, id: Terpakai}}\n"
                                 "x-constraints:\n"
                                 "  thing_name_key: {code: thing-taken, pointer: /name}\n"
                                 "  thing_kind: {code: invalid}\n";

/* The example {id: x} above lacks `tags`: each test but one goes without examples. */
static struct contract *load_whole(void)
{
    static char text[sizeof whole]; /* lives as long as the contract */
    memcpy(text, whole, sizeof whole);
    memset(strstr(text, ", example: {id: x}"), ' ', strlen(", example: {id: x}"));
    return load_or_die(text);
}

static void operations_are_what_the_document_says(void **state)
{
    struct contract *contract = load_whole();
    size_t n;
    const struct operation *op = contract_operations(contract, &n);
    (void)state;
    assert_int_equal(n, 3);
    assert_ptr_equal(op, contract_find(contract, "listParts"));
    assert_int_equal(op->method, HTTP_GET);
    assert_string_equal(op->path, "/v1/things/{thing_id}/parts/{n}");
    assert_string_equal(op->place, "test.yaml:10");
    assert_string_equal(op->summary, "Parts");
    assert_int_equal(op->timeout_ms, 100);
    assert_int_equal(op->success, 200);
    assert_int_equal(op->n_reply_types, 2);
    assert_string_equal(op->reply_types[1], "text/csv");
    assert_true(!op->has_body && !op->is_public && !op->retry_safe && !op->location && !op->body_limit_setting);
    assert_int_equal(op->n_scopes, 1);
    assert_string_equal(op->scopes[0], "root.scope");

    op = contract_find(contract, "createThing");
    assert_int_equal(op->index, 1);
    assert_int_equal(op->n_scopes, 2);
    assert_string_equal(op->scopes[1], "b.write");
    assert_true(op->retry_safe && op->has_body && op->body_required && op->body_limit == 1000 && op->success == 201);
    assert_string_equal(op->location, "/v1/things/{id}");
    assert_int_equal(op->n_bodies, 2);
    assert_string_equal(op->bodies[0].type, "application/merge-patch+json");
    assert_true(op->bodies[0].schema && !op->bodies[1].schema && !op->is_list && op->reply_schema);

    op = contract_find(contract, "livez");
    assert_true(op->is_public && op->n_scopes == 0 && op->n_reply_types == 0 && !op->reply_schema);
    assert_null(contract_find(contract, "nobody"));
    contract_free(contract);
}

static void parameters_are_those_of_path_and_operation(void **state)
{
    struct contract *contract = load_whole();
    const struct operation *op = contract_find(contract, "listParts");
    const struct param_spec *p = op->params;
    (void)state;
    assert_int_equal(op->n_params, 5);
    assert_string_equal(p[0].name, "thing_id"); /* in the order of the template, whatever the order of declaration */
    assert_string_equal(p[1].name, "n");
    assert_true(p[0].in == IN_PATH && p[1].in == IN_PATH && p[1].type.kind == KIND_INTEGER);
    for (size_t i = 2; i < op->n_params; i++) {
        if (strcmp(p[i].name, "limit") == 0) { /* the operation's own, not the path's */
            assert_int_equal(p[i].type.kind, KIND_INTEGER);
            assert_string_equal(p[i].default_text, "5");
            assert_true(p[i].explode && !p[i].required);
        } else if (strcmp(p[i].name, "kind") == 0) {
            assert_true(p[i].type.kind == KIND_ARRAY && p[i].type.item_kind == KIND_STRING && !p[i].explode);
            assert_string_equal(p[i].default_text, "{\"a\",\"b\"}");
        } else {
            assert_string_equal(p[i].name, "If-Match");
            assert_string_equal(p[i].bind_name, "if_match");
            assert_true(p[i].in == IN_HEADER && p[i].required);
        }
    }
    contract_free(contract);
}

static void members_come_through_references_and_all_of(void **state)
{
    static const struct {
        const char *name, *format, *scope;
        enum json_kind kind, item_kind;
        bool nullable, required, read_only;
    } expected[] = {
        {"tags", NULL, NULL, KIND_ARRAY, KIND_STRING, false, true, false},
        {"wide", NULL, NULL, KIND_STRING, KIND_ANY, false, false, false},
        {"either", NULL, NULL, KIND_ANY, KIND_ANY, false, false, false},
        {"id", "uuid", NULL, KIND_STRING, KIND_ANY, false, true, true},
        {"secret", NULL, "a.sensitive", KIND_STRING, KIND_ANY, true, false, false},
    };
    struct contract *contract = load_whole();
    const struct operation *create = contract_find(contract, "createThing"), *list = contract_find(contract, "listParts");
    (void)state;
    assert_true(list->is_list);
    assert_int_equal(create->n_body_members, ARRAY_LEN(expected));
    assert_int_equal(create->n_reply_members, ARRAY_LEN(expected));
    assert_int_equal(list->n_reply_members, ARRAY_LEN(expected)); /* of a row, not of {data, page} */
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        const struct property_spec *m = &list->reply_members[i];
        assert_string_equal(m->name, expected[i].name);
        assert_string_equal(create->body_members[i].name, expected[i].name);
        if (m->kind != expected[i].kind || m->item_kind != expected[i].item_kind || m->nullable != expected[i].nullable ||
            m->required != expected[i].required || m->read_only != expected[i].read_only ||
            strcmp(m->format ? m->format : "", expected[i].format ? expected[i].format : "") != 0 ||
            strcmp(m->scope ? m->scope : "", expected[i].scope ? expected[i].scope : "") != 0)
            fail_msg("%s is not as it should be", m->name);
    }
    contract_free(contract);
}

static void problems_and_constraints_enter_the_catalogue(void **state)
{
    const struct constraint_entry *constraint;
    (void)state;
    for (int i = 0; i < 2; i++) /* a second load finds its words there, and they outlive it */
        contract_free(load_whole());
    assert_int_equal(problem_find("thing-taken")->status, ST_CONFLICT);
    assert_string_equal(problem_find("thing-taken")->title_id, "Terpakai");
    constraint = problem_find_constraint("thing_name_key");
    assert_string_equal(constraint->code, "thing-taken");
    assert_string_equal(constraint->pointer, "/name");
    assert_string_equal(problem_find_constraint("thing_kind")->pointer, "");
}

static void the_same_as_json_is_made_once(void **state)
{
    static const char yaml[] = HEAD "paths: {/a: {get: {operationId: a, responses: {'200': {description: 'é'}}}}}\n" TAIL
                                    "  schemas: {A: {multipleOf: 0.01, minimum: -1.5}}\n";
    struct contract *contract = load_or_die(yaml);
    struct slice json = contract_json(contract), source = contract_yaml(contract);
    json_t *back = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    (void)state;
    assert_true(json_equal(back, contract_root(contract)));
    assert_non_null(strstr(json.data, "{\"multipleOf\":0.01,\"minimum\":-1.5}"));
    assert_true(source.len == sizeof yaml - 1 && memcmp(source.data, yaml, source.len) == 0);
    json_decref(back);
    contract_free(contract);
}

static void what_is_compiled_outlives_the_document(void **state)
{
    struct contract *contract = load_whole(), *again;
    const struct operation *op = contract_find(contract, "listParts");
    struct slice json;
    char *before;
    (void)state;
    before = json_dumps(contract_root(contract), JSON_COMPACT);
    assert_non_null(op->raw);
    contract_forget_document(contract);
    assert_null(contract_root(contract));
    assert_null(op->raw);
    assert_null(schema_source(op->reply_schema));
    assert_string_equal(op->id, "listParts");
    assert_string_equal(op->summary, "Parts");
    assert_string_equal(op->reply_members[0].name, "tags");
    assert_string_equal(contract_title(contract), "t");
    assert_string_equal(contract_version(contract), "1");
    json = contract_json(contract);
    assert_string_equal(json.data, before);
    again = contract_reload(contract);
    assert_non_null(contract_find(again, "listParts")->raw);
    contract_free(contract);
    contract_free(again);
    free(before);
}

/* One operation `GET /a/{x}` with the given lines. */
#define OPERATION(lines) HEAD "paths:\n  /a/{x}:\n    get:\n      operationId: a\n" lines TAIL
#define X                "      parameters: [{name: x, in: path, required: true, schema: {type: string}}]\n"
#define OK               "      responses: {'200': {description: d}}\n"
#define PARAM(text)      "      parameters:\n      - {name: x, in: path, required: true, schema: {type: string}}\n      - {" text "}\n"
#define REPLY(text)      "      responses:\n        '200':\n          description: d\n          content: {application/json: {" text "}}\n"

static void what_cannot_be_kept_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *yaml, *said;
    } cases[] = {
        {"[]\n", "t:1: the contract must be a mapping\n"},
        {"openapi: 3.0.3\nsecurity: []\npaths: {/a: {get: {operationId: a, responses: {'200': {description: d}}}}}\n" TAIL,
         "t:1: #/openapi: the contract must be OpenAPI 3.1\n"},
        {HEAD "paths: {}\n" TAIL, "t:1: #/paths: there are no operations\n"},
        {OPERATION(X OK) "x-fine: 1\npath: {}\n", "t:13: #: unsupported keyword \"path\"\n"},
        {HEAD "paths: {/a: {get: {operationId: a, responses: {'200': {description: d}}}}}\n",
         "t: #/components/securitySchemes: there must be `apiKey` of type http, scheme bearer\n"},
        /* operations */
        {OPERATION(X OK "      tag: [x]\n"), "t:10: #/paths/~1a~1{x}/get: unsupported keyword \"tag\"\n"},
        {HEAD "paths:\n  /a:\n    get: {operationId: a, responses: {'200': {description: d}}}\n"
              "    put: {operationId: a, responses: {'200': {description: d}}}\n" TAIL,
         "t:7: #/paths/~1a/put: the operationId \"a\" stands at t:6 already\n"},
        {HEAD "paths:\n  /a:\n    get: {responses: {'200': {description: d}}}\n" TAIL,
         "t:6: #/paths/~1a/get: an operation needs an operationId\n"},
        {HEAD "paths:\n  /a:\n    trace: {operationId: a}\n    get: {operationId: b, responses: {'200': {description: d}}}\n" TAIL,
         "t:6: #/paths/~1a: unsupported keyword \"trace\"\n"},
        {OPERATION(X "      responses: {'404': {description: d}}\n"), "t:7: #/paths/~1a~1{x}/get: an operation needs a 2xx response\n"},
        {OPERATION(X "      responses: {'200': {description: d}, 2XX: {description: d}}\n"),
         "t:9: #/paths/~1a~1{x}/get/responses/2XX: a response is a status of three digits, or default\n"},
        {OPERATION(X OK "      x-timeout-ms: soon\n"),
         "t:10: #/paths/~1a~1{x}/get: x-timeout-ms must be a whole number from 1 to 3600000\n"},
        {OPERATION(X OK "      x-location: v1\n"), "t:10: #/paths/~1a~1{x}/get: x-location must be a path\n"},
        {OPERATION(X OK "      security: [{apiKey: [a]}, {apiKey: [b]}]\n"),
         "t:7: #/paths/~1a~1{x}/get: `security` must be one `apiKey` with its scopes, or []\n"},
        {OPERATION(X OK "      security: [{}]\n"), "t:7: #/paths/~1a~1{x}/get: `security` must be one `apiKey` with its scopes, or []\n"},
        /* paths */
        {HEAD "paths:\n  /a/: {get: {operationId: a, responses: {'200': {description: d}}}}\n" TAIL,
         "t:5: #/paths/~1a~1/get: a path begins with / and has no empty, dot or partly variable segment\n"},
        {HEAD "paths:\n  /a/{x}{y}: {get: {operationId: a, parameters: [{name: x, in: path, required: true, schema: {}}, {name: y, in: "
              "path, required: true, schema: {}}], responses: {'200': {description: d}}}}\n" TAIL,
         "t:5: #/paths/~1a~1{x}{y}/get: a path begins with / and has no empty, dot or partly variable segment\n"},
        {HEAD "paths:\n"
              "  /a/{x}: {get: {operationId: a, parameters: [{name: x, in: path, required: true, schema: {}}], responses: {'200': "
              "{description: d}}}}\n"
              "  /a/{y}: {put: {operationId: b, parameters: [{name: y, in: path, required: true, schema: {}}], responses: {'200': "
              "{description: d}}}}\n" TAIL,
         "t:6: #/paths/~1a~1{y}/put: another path is the same but for the names of its parameters\n"},
        /* parameters */
        {OPERATION(OK), "t:7: #/paths/~1a~1{x}/get: the path parameter {x} is not declared\n"},
        {OPERATION(PARAM("name: y, in: path, required: true, schema: {}") OK),
         "t:7: #/paths/~1a~1{x}/get: the path parameter \"y\" is not in the path\n"},
        {OPERATION("      parameters: [{name: x, in: path, schema: {}}]\n" OK),
         "t:8: #/paths/~1a~1{x}/get/parameters/x: a path parameter must be `required: true`\n"
         "t:7: #/paths/~1a~1{x}/get: the path parameter {x} is not declared\n"},
        {OPERATION(PARAM("name: q, in: cookie, schema: {}") OK),
         "t:10: #/paths/~1a~1{x}/get/parameters/q: a parameter must be in path, query or header\n"},
        {OPERATION(PARAM("name: q, in: query") OK), "t:10: #/paths/~1a~1{x}/get/parameters/q: a parameter needs name, in and schema\n"},
        {OPERATION(PARAM("name: q, in: query, style: deepObject, schema: {}") OK),
         "t:10: #/paths/~1a~1{x}/get/parameters/q: this parameter style is not supported (query: form, else simple)\n"},
        {OPERATION(PARAM("name: q, in: query, allowReserved: true, schema: {}") OK),
         "t:10: #/paths/~1a~1{x}/get/parameters/q: unsupported keyword \"allowReserved\"\n"},
        {OPERATION(PARAM("name: q, in: query, schema: {type: object}") OK),
         "t:10: #/paths/~1a~1{x}/get/parameters/q: a parameter that is an object, or a list of lists or objects, is not supported\n"},
        {OPERATION(PARAM("name: Accept, in: header, schema: {}") OK),
         "t:10: #/paths/~1a~1{x}/get/parameters/Accept: OpenAPI leaves Accept, Content-Type and Authorization aside: they are no "
         "parameters\n"},
        {OPERATION(PARAM("name: q, in: query, required: true, schema: {default: 1}") OK),
         "t:10: #/paths/~1a~1{x}/get/parameters/q: a required parameter has no use for a default\n"},
        {OPERATION(PARAM("name: x, in: query, schema: {}") OK),
         "t:7: #/paths/~1a~1{x}/get: two parameters would both be :x in a statement\n"},
        {OPERATION(PARAM("name: q, in: query, schema: {}") "      - {name: q, in: query, schema: {}}\n" OK),
         "t:11: #/paths/~1a~1{x}/get: the parameter \"q\" stands twice\n"},
        {OPERATION(X OK "      requestBody: {content: {application/json: {schema: {properties: {x: {}}}}}}\n"),
         "t:7: #/paths/~1a~1{x}/get: a parameter and a member of the body would both be :x in a statement\n"},
        /* schemas, wherever they are */
        {OPERATION(X OK) "  schemas:\n    A: {minimun: 1}\n", "t:13: #/components/schemas/A: unsupported keyword \"minimun\"\n"},
        {OPERATION(X REPLY("schema: {type: objekt}")),
         "t:12: #/paths/~1a~1{x}/get/responses/200/content/application~1json/schema/type: this must be a type of JSON Schema, or a list of "
         "them\n"},
        {OPERATION(X REPLY("example: 1")), "t:12: #/paths/~1a~1{x}/get/responses/200/content/application~1json: JSON needs a schema\n"},
        {OPERATION(X REPLY("schema: {type: object, properties: {data: {type: array, items: {}}}}")),
         "t:7: #/paths/~1a~1{x}/get: the reply of a list needs `page` with `next`, a text or null\n"},
        /* references */
        {OPERATION("      parameters: [{$ref: '#/components/parameters/X'}]\n" OK),
         "t:8: #/paths/~1a~1{x}/get/parameters/0: \"#/components/parameters/X\" points at nothing in this document\n"
         "t:7: #/paths/~1a~1{x}/get: the path parameter {x} is not declared\n"},
        {OPERATION(X "      responses: {'200': {description: d}, default: {$ref: '#/components/responses/No'}}\n"),
         "t:9: #/paths/~1a~1{x}/get/responses/default: \"#/components/responses/No\" points at nothing in this document\n"},
        {OPERATION(X OK) "  schemas:\n    A: {$ref: '#/components/schemas/B'}\n",
         "t:13: #/components/schemas/A/$ref: \"#/components/schemas/B\" points at nothing in this document\n"},
        /* examples and defaults */
        {OPERATION(X REPLY("schema: {type: object, required: [a]}, example: {b: 1}")),
         "t:12: #/paths/~1a~1{x}/get/responses/200/content/application~1json/example: does not fit its schema: /a: a is missing\n"},
        {OPERATION(X REPLY("schema: {type: integer}, examples: {one: {$ref: '#/components/examples/One'}}")) "  examples:\n    One:\n      "
                                                                                                             "value: x\n",
         "t:17: #/paths/~1a~1{x}/get/responses/200/content/application~1json/examples/one: does not fit its schema: this must be a whole "
         "number\n"},
        {OPERATION(PARAM("name: q, in: query, example: 0, schema: {type: integer, minimum: 1}") OK),
         "t:10: #/paths/~1a~1{x}/get/parameters/q/example: does not fit its schema: this must be at least 1\n"},
        {OPERATION(X OK) "  schemas:\n    A: {type: integer, default: ten}\n",
         "t:13: #/…/default: does not fit its schema: this must be a whole number\n"},
        /* problems and constraints */
        {OPERATION(X OK) "x-problems:\n  p: {status: 418, title: {en: a, id: b}}\n",
         "t:13: #/x-problems/p: a problem needs a status that problems can have, and title.en and title.id\n"},
        {OPERATION(X OK) "x-problems:\n  p: {status: 409, title: {en: a}}\n",
         "t:13: #/x-problems/p: a problem needs a status that problems can have, and title.en and title.id\n"},
        {OPERATION(X OK) "x-problems:\n  not-found: {status: 409, title: {en: a, id: b}}\n",
         "t:13: #/x-problems/not-found: this problem is there already with another status\n"},
        {OPERATION(X OK) "x-constraints:\n  c: {code: no-such-code}\n",
         "t:13: #/x-constraints/c: a constraint needs the code of a problem\n"},
        {OPERATION(X OK) "x-constraints:\n  c: {code: invalid, pointer: nip}\n",
         "t:13: #/x-constraints/c: pointer must be a JSON Pointer\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct heard heard;
        struct contract *contract = contract_load(cases[i].yaml, strlen(cases[i].yaml), "t", hear(&heard)->file);
        if (contract || strcmp(heard_text(&heard), cases[i].said) != 0)
            fail_msg("%s\nsays: %s\nnot:  %s", cases[i].yaml, heard_text(&heard), cases[i].said);
        heard_done(&heard);
    }
    assert_null(problem_find("p")); /* of a contract that is refused nothing stays */
}

static void all_faults_are_told(void **state)
{
    struct heard heard;
    const char *said;
    (void)state;
    assert_null(contract_load(whole, strlen(whole), "t", hear(&heard)->file));
    said = heard_text(&heard);
    assert_non_null(strstr(said, "example: does not fit its schema: /tags: tags is missing\n"));
    heard_done(&heard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_what_the_document_says),
        cmocka_unit_test(parameters_are_those_of_path_and_operation),
        cmocka_unit_test(members_come_through_references_and_all_of),
        cmocka_unit_test(problems_and_constraints_enter_the_catalogue),
        cmocka_unit_test(the_same_as_json_is_made_once),
        cmocka_unit_test(what_is_compiled_outlives_the_document),
        cmocka_unit_test(what_cannot_be_kept_is_refused_with_its_place),
        cmocka_unit_test(all_faults_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
