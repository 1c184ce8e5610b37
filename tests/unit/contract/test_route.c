/* SPDX-License-Identifier: Apache-2.0 */
/* From a method and a raw path to an operation. */
#include "testing.h"

static const char yaml[] = "openapi: 3.1.0\n"
                           "security: []\n"
                           "components: {securitySchemes: {apiKey: {type: http, scheme: bearer}}}\n"
                           "paths:\n"
                           "  /:\n"
                           "    get: {operationId: root, responses: {'200': {}}}\n"
                           "  /v1/asn:\n"
                           "    get: {operationId: listAsn, responses: {'200': {}}}\n"
                           "    post: {operationId: createAsn, responses: {'201': {}}}\n"
                           "  /v1/asn/{nip}:\n"
                           "    parameters: [{name: nip, in: path, required: true, schema: {type: string}}]\n"
                           "    get: {operationId: getAsn, responses: {'200': {}}}\n"
                           "    patch: {operationId: updateAsn, responses: {'200': {}}}\n"
                           "  /v1/asn/import:\n"
                           "    post: {operationId: importAsn, responses: {'200': {}}}\n"
                           "  /v1/asn/import/{id}:\n"
                           "    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n"
                           "    delete: {operationId: dropImport, responses: {'204': {}}}\n"
                           "  /v1/asn/{nip}/hours/{year}:\n"
                           "    parameters:\n"
                           "    - {name: year, in: path, required: true, schema: {type: string}}\n" /* not in the path's order */
                           "    - {name: nip, in: path, required: true, schema: {type: string}}\n"
                           "    put: {operationId: setHours, responses: {'200': {}}}\n"
                           "  /v1/probe:\n"
                           "    head: {operationId: probe, responses: {'200': {}}}\n"
                           "    options: {operationId: probeOptions, responses: {'200': {}}}\n";

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

static void paths_lead_to_operations(void **state)
{
    static const struct {
        enum http_method method;
        const char *path, *id, *values; /* id NULL: the path is known, the method is not; "": unknown path */
    } cases[] = {
        {HTTP_GET, "/", "root", ""},
        {HTTP_HEAD, "/", "root", ""},
        {HTTP_POST, "/", NULL, ""},
        {HTTP_GET, "/v1/asn", "listAsn", ""},
        {HTTP_POST, "/v1/asn", "createAsn", ""},
        {HTTP_GET, "/v1/asn/1", "getAsn", "1"},
        {HTTP_PATCH, "/v1/asn/1", "updateAsn", "1"},
        {HTTP_HEAD, "/v1/asn/1", "getAsn", "1"},
        {HTTP_HEAD, "/v1/probe", "probe", ""},
        {HTTP_OPTIONS, "/v1/probe", "probeOptions", ""},
        {HTTP_GET, "/v1/probe", NULL, ""},
        {HTTP_HEAD, "/v1/asn/import", NULL, ""}, /* no GET to answer with */
        {HTTP_OPTIONS, "/v1/asn", NULL, ""},
        {HTTP_DELETE, "/v1/asn", NULL, ""},
        {HTTP_METHOD_UNKNOWN, "/v1/asn", NULL, ""},
        /* a literal wins, whatever its methods */
        {HTTP_POST, "/v1/asn/import", "importAsn", ""},
        {HTTP_GET, "/v1/asn/import", NULL, ""},
        {HTTP_DELETE, "/v1/asn/import/7", "dropImport", "7"},
        {HTTP_PUT, "/v1/asn/import/hours/2026", "setHours", "import,2026"}, /* where the literal leads nowhere */
        {HTTP_GET, "/v1/asn/imports", "getAsn", "imports"},
        {HTTP_GET, "/v1/asn/Import", "getAsn", "Import"},
        /* values stay raw, in the order of the template */
        {HTTP_PUT, "/v1/asn/1/hours/2026", "setHours", "1,2026"},
        {HTTP_GET, "/v1/asn/a%2Fb", "getAsn", "a%2Fb"},
        {HTTP_GET, "/v1/asn/a%2fhours%2f1", "getAsn", "a%2fhours%2f1"},
        {HTTP_GET, "/v1/asn/%zz", "getAsn", "%zz"},
        {HTTP_GET, "/v1/asn/{nip}", "getAsn", "{nip}"},
        {HTTP_GET, "/v1/asn/a;b=c", "getAsn", "a;b=c"},
        {HTTP_GET, "/v1/asn/...", "getAsn", "..."},
        {HTTP_GET, "/v1/asn/.x", "getAsn", ".x"},
        /* nothing */
        {HTTP_GET, "", "", ""},
        {HTTP_GET, "//", "", ""},
        {HTTP_GET, "/.", "", ""},
        {HTTP_GET, "*", "", ""},
        {HTTP_GET, "v1/asn", "", ""},
        {HTTP_GET, "//v1/asn", "", ""},
        {HTTP_GET, "/v1", "", ""},
        {HTTP_GET, "/v1/", "", ""},
        {HTTP_GET, "/v1//asn", "", ""},
        {HTTP_GET, "/v1/asn/", "", ""},
        {HTTP_GET, "/v1/asn//", "", ""},
        {HTTP_GET, "/v1/asn/1/", "", ""},
        {HTTP_GET, "/v1/asn/.", "", ""},
        {HTTP_GET, "/v1/asn/..", "", ""},
        {HTTP_GET, "/v1/asn/%2e", "", ""},
        {HTTP_GET, "/v1/asn/%2E%2e", "", ""},
        {HTTP_GET, "/v1/asn/.%2E", "", ""},
        {HTTP_GET, "/v1/./asn", "", ""},
        {HTTP_GET, "/v1/x/../asn", "", ""},
        {HTTP_GET, "/V1/asn", "", ""},
        {HTTP_GET, "/v1/asn/1/hours", "", ""},
        {HTTP_GET, "/v1/asn/1/hours/2026/x", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(0);
        struct buf values;
        struct route route;
        bool is_known = contract_route(contract, cases[i].method, slice_of(cases[i].path), &route);
        const char *id = !is_known ? "" : route.operation ? route.operation->id : NULL;
        buf_init(&values, arena, 64);
        for (size_t k = 0; k < route.n_path_values; k++)
            buf_printf(&values, "%s%.*s", k ? "," : "", (int)route.path_values[k].len, route.path_values[k].data);
        if (!id != !cases[i].id || (id && strcmp(id, cases[i].id) != 0) || strcmp(buf_cstr(&values), cases[i].values) != 0)
            fail_msg("%s %s: %s (%s)", http_method_name(cases[i].method), cases[i].path, id ? id : "no operation", buf_cstr(&values));
        assert_int_equal(route.allow != NULL, is_known);
        arena_free(arena);
    }
}

static void allow_names_what_the_path_can(void **state)
{
    static const struct {
        const char *path, *allow;
    } cases[] = {
        {"/", "GET, HEAD, OPTIONS"},         {"/v1/asn", "GET, HEAD, POST, OPTIONS"}, {"/v1/asn/1", "GET, HEAD, PATCH, OPTIONS"},
        {"/v1/asn/import", "POST, OPTIONS"}, {"/v1/asn/import/1", "DELETE, OPTIONS"}, {"/v1/probe", "HEAD, OPTIONS"},
    };
    struct route route;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(contract_route(contract, HTTP_METHOD_UNKNOWN, slice_of(cases[i].path), &route));
        assert_string_equal(route.allow, cases[i].allow);
    }
    assert_false(contract_route(contract, HTTP_GET, SLICE_LIT("/nowhere"), &route));
    assert_null(route.allow);
}

/* The slice is all that there is: nothing behind it is read. */
static void a_path_ends_where_its_slice_ends(void **state)
{
    struct route route;
    (void)state;
    assert_true(contract_route(contract, HTTP_GET, (struct slice){"/v1/asn/import", 10}, &route));
    assert_string_equal(route.operation->id, "getAsn");
    assert_true(slice_is(route.path_values[0], "im"));
    assert_true(contract_route(contract, HTTP_GET, (struct slice){"/v1/asnX", 7}, &route));
    assert_string_equal(route.operation->id, "listAsn");
    assert_false(contract_route(contract, HTTP_GET, (struct slice){"/v1/asn\0", 8}, &route));
    assert_false(contract_route(contract, HTTP_GET, (struct slice){NULL, 0}, &route));
}

static void long_paths_are_refused_without_ado(void **state)
{
    char path[20001];
    struct route route;
    (void)state;
    for (size_t i = 0; i < sizeof path - 1; i += 2)
        memcpy(path + i, "/x", 2);
    assert_false(contract_route(contract, HTTP_GET, (struct slice){path, sizeof path - 1}, &route));
    memset(path, '/', sizeof path);
    assert_false(contract_route(contract, HTTP_GET, (struct slice){path, sizeof path - 1}, &route));
}

static void methods_are_case_sensitive(void **state)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    static const char *const others[] = {"get", "Get", "", "TRACE", "CONNECT", "GETX", "GE", " GET"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(http_method_parse(names[i]), i);
        assert_string_equal(http_method_name((enum http_method)i), names[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(http_method_parse(others[i]), HTTP_METHOD_UNKNOWN);
    assert_string_equal(http_method_name(HTTP_METHOD_UNKNOWN), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_to_operations),         cmocka_unit_test(allow_names_what_the_path_can),
        cmocka_unit_test(a_path_ends_where_its_slice_ends), cmocka_unit_test(long_paths_are_refused_without_ado),
        cmocka_unit_test(methods_are_case_sensitive),
    };
    return cmocka_run_group_tests(tests, load, drop);
}
