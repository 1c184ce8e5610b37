/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, key sets, claims and networks by themselves: shapes, and the published examples of RFC 7515 and 8037. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "asnd/arena.h"
#include "internal.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define ALL ((1U << ALG_KINDS) - 1)

/* RFC 7517, A.1 (the EC key is that of RFC 7515, A.3) and RFC 8037, A.2. */
#define RFC_EC                                                                                                                             \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                              \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define RFC_ED    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define SET(keys) "{\"keys\":[" keys "]}"

static struct jwks *parse(const char *text, const char **ret_why)
{
    return jwks_parse(text, strlen(text), ALL, ret_why);
}

/* RFC 7515, A.3, with its header ({"alg":"ES256"}) and payload. */
static void the_example_of_es256_is_good(void **state)
{
    const char *signed_text =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const char *signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    struct arena *arena = arena_new(0);
    const char *why;
    struct jwks *set = parse(SET(RFC_EC), &why);
    struct bytes text = {(const uint8_t *)signed_text, strlen(signed_text)}, value = {0};
    (void)state;
    assert_non_null(set);
    value.data = base64url_decode(arena, signature, strlen(signature), &value.len);
    assert_true(signature_is_good(set->keys[0].key, ALG_ES256, text, value));
    assert_false(signature_is_good(set->keys[0].key, ALG_RS256, text, value));
    assert_false(signature_is_good(set->keys[0].key, ALG_EDDSA, text, value));
    text.len--;
    assert_false(signature_is_good(set->keys[0].key, ALG_ES256, text, value));
    jwks_unref(set);
    arena_free(arena);
}

/* RFC 8037, A.4. */
static void the_example_of_eddsa_is_good(void **state)
{
    const char *signed_text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const char *signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    struct arena *arena = arena_new(0);
    const char *why;
    struct jwks *set = parse(SET(RFC_ED), &why);
    struct bytes text = {(const uint8_t *)signed_text, strlen(signed_text)}, value = {0};
    (void)state;
    assert_non_null(set);
    value.data = base64url_decode(arena, signature, strlen(signature), &value.len);
    assert_true(signature_is_good(set->keys[0].key, ALG_EDDSA, text, value));
    assert_false(signature_is_good(set->keys[0].key, ALG_ES256, text, value));
    jwks_unref(set);
    arena_free(arena);
}

static void sets_hold_what_is_of_use(void **state)
{
    const char *why;
    struct jwks *set = parse(SET(RFC_EC "," RFC_ED ",{\"kty\":\"oct\",\"kid\":\"x\",\"k\":\"c2VjcmV0\"},5,null,\"a\",{}"), &why);
    (void)state;
    assert_non_null(set);
    assert_int_equal(set->n, 2);
    assert_int_equal(set->ignored, 5);
    assert_int_equal(set->keys[0].algorithms, 1U << ALG_ES256);
    assert_non_null(jwks_find(set, "ed"));
    assert_null(jwks_find(set, "e"));
    jwks_unref(set);
    set = jwks_parse(SET(RFC_EC "," RFC_ED), strlen(SET(RFC_EC "," RFC_ED)), 1U << ALG_EDDSA, &why);
    assert_int_equal(set->n, 1);
    jwks_unref(set);
}

static void sets_that_are_none(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{}",
                                      "{\"keys\":{}}",
                                      "{\"keys\":[]}",
                                      "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"x\"}]}",
                                      SET(RFC_EC "," RFC_EC),
                                      "{\"keys\":[" RFC_EC "],\"keys\":[]}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        const char *why = NULL;
        assert_null(parse(bad[i], &why));
        assert_non_null(why);
    }
}

static void algorithms_are_known_by_their_exact_names(void **state)
{
    (void)state;
    assert_int_equal(algorithm_find("RS256", 5), ALG_RS256);
    assert_int_equal(algorithm_find("EdDSA", 5), ALG_EDDSA);
    assert_int_equal(algorithm_find("RS2567", 6), ALG_KINDS);
    assert_int_equal(algorithm_find("rs256", 5), ALG_KINDS);
    assert_int_equal(algorithm_find("none", 4), ALG_KINDS);
    assert_int_equal(algorithm_find("HS256", 5), ALG_KINDS);
    assert_int_equal(algorithm_find("", 0), ALG_KINDS);
}

/* ── claims ── */

static const char *const audiences[] = {"asnd"};
static const char *const scopes[] = {"asn.read", "role:auditor", "unit.read"};
static const struct role roles[] = {{"officer", scopes, 3}};
static const struct claims_rule rule = {.issuer = "https://id.example",
                                        .audiences = audiences,
                                        .n_audiences = 1,
                                        .skew_s = 60,
                                        .max_age_s = 3600,
                                        .name_at = "/name",
                                        .nip_at = "/id~1card/nip",
                                        .roles_at = "/a~0b/roles",
                                        .units_at = "/units",
                                        .roles = roles,
                                        .n_roles = 1};
#define BASE "\"iss\":\"https://id.example\",\"aud\":\"asnd\",\"sub\":\"s\",\"jti\":\"j\",\"iat\":1000,\"exp\":2000"

static enum status check(struct ctx *ctx, const char *text, int64_t now_s, struct token_claims *ret)
{
    json_t *claims = json_loads(text, 0, NULL);
    enum status st;
    assert_non_null(claims);
    st = claims_check(ctx, &rule, claims, now_s * 1000000, ret);
    if (st == ST_OK && ret->nip)
        ret->nip = arena_strdup(ctx->arena, ret->nip);
    json_decref(claims);
    return st;
}

static void times_are_kept_to_the_second(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct token_claims claims;
    (void)state;
    assert_int_equal(check(&ctx, "{" BASE "}", 940, &claims), ST_OK);
    assert_int_equal(claims.expires_us, INT64_C(2060) * 1000000);
    assert_int_equal(check(&ctx, "{" BASE "}", 939, &claims), ST_UNAUTHENTICATED);
    assert_int_equal(check(&ctx, "{" BASE "}", 2059, &claims), ST_OK);
    assert_int_equal(check(&ctx, "{" BASE "}", 2060, &claims), ST_UNAUTHENTICATED);
    assert_int_equal(check(&ctx, "{" BASE ",\"nbf\":1500}", 1440, &claims), ST_OK);
    assert_int_equal(check(&ctx, "{" BASE ",\"nbf\":1500}", 1439, &claims), ST_UNAUTHENTICATED);
    arena_free(ctx.arena);
}

static void claims_are_found_by_their_pointers(void **state)
{
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct token_claims claims;
    (void)state;
    assert_int_equal(check(&ctx,
                           "{" BASE ",\"id/card\":{\"nip\":\"199001152015031001\"},\"a~b\":{\"roles\":[\"officer\",\"other\"]},"
                           "\"units\":[\"A\\\"}\\\\\",\"B\"]}",
                           1500, &claims),
                     ST_OK);
    assert_string_equal(claims.nip, "199001152015031001");
    assert_string_equal(claims.scopes, "{asn.read,unit.read}");
    assert_string_equal(claims.roles, "{auditor}");
    assert_string_equal(claims.unit_codes, "{\"A\\\"}\\\\\",\"B\"}");
    assert_int_equal(check(&ctx, "{" BASE "}", 1500, &claims), ST_OK);
    assert_null(claims.nip);
    assert_null(claims.unit_codes);
    assert_string_equal(claims.scopes, "{}");
    assert_string_equal(claims.name, "token");
    arena_free(ctx.arena);
}

/* ── networks ── */

static bool holds(const char *network, const char *address)
{
    struct network n;
    assert_true(network_parse(network, strlen(network), &n));
    return network_any_holds(&n, 1, slice_of(address));
}

static void networks_hold_what_they_say(void **state)
{
    static const char *const bad[] = {"",  "/",           "10.0.0.0/",   "10.0.0.0/33",  "10.0.0.1/8", "::/129", "2001:db8::1/32",
                                      "a", "10.0.0.0/8 ", "10.0.0.0/-1", "10.0.0.0/008x"};
    struct network n;
    (void)state;
    assert_true(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
    assert_true(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
    assert_true(holds("::/0", "2001:db8::1") && holds("::/0", "10.0.0.1"));
    assert_true(holds("10.1.2.3", "::ffff:10.1.2.3") && !holds("10.1.2.3", "10.1.2.4"));
    assert_true(holds("2001:db8:8000::/33", "2001:db8:8000::1") && !holds("2001:db8:8000::/33", "2001:db8:7fff::1"));
    assert_false(holds("10.0.0.0/8", "") || holds("10.0.0.0/8", "10.0.0") || holds("10.0.0.0/8", "ten"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(network_parse(bad[i], strlen(bad[i]), &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_example_of_es256_is_good),
                                       cmocka_unit_test(the_example_of_eddsa_is_good),
                                       cmocka_unit_test(sets_hold_what_is_of_use),
                                       cmocka_unit_test(sets_that_are_none),
                                       cmocka_unit_test(algorithms_are_known_by_their_exact_names),
                                       cmocka_unit_test(times_are_kept_to_the_second),
                                       cmocka_unit_test(claims_are_found_by_their_pointers),
                                       cmocka_unit_test(networks_hold_what_they_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
