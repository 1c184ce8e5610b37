/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, bearer headers, scopes, and the cache of checked keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "asnd/arena.h"
#include "asnd/auth.h"

/* last: it has a macro named fail */
#include <cmocka.h>

static struct actor *made(const char *id, const char *name, const char *units, const char *scopes)
{
    return actor_new(&(struct actor_facts){
        .key_id = id, .name = name, .units = units, .agency = units, .roles_literal = "{}", .scopes_literal = scopes});
}

static void a_new_key_is_wellformed_and_every_typing_error_is_not(void **state)
{
    char key[KEY_TEXT_LEN + 1], other[KEY_TEXT_LEN + 1];
    (void)state;
    key_new(key);
    key_new(other);
    assert_int_equal(strlen(key), KEY_TEXT_LEN);
    assert_string_not_equal(key, other);
    assert_true(key_is_wellformed(key, KEY_TEXT_LEN));
    assert_false(key_is_wellformed(key, KEY_TEXT_LEN - 1));
    for (size_t i = 0; i < KEY_TEXT_LEN; i++) {
        char was = key[i];
        key[i] = was == 'x' ? 'y' : 'x';
        assert_false(key_is_wellformed(key, KEY_TEXT_LEN));
        key[i] = was;
    }
}

static void the_hash_is_sha256(void **state)
{
    char hex[KEY_HASH_HEX_SIZE];
    (void)state;
    key_hash("abc", 3, hex); /* FIPS 180-4, example 1 */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void bearer_headers(void **state)
{
    char key[KEY_TEXT_LEN + 1], header[128];
    struct ctx ctx = {.arena = arena_new(0), .lang = LANG_EN};
    struct slice token = {0};
    enum bearer kind;
    (void)state;
    key_new(key);
    snprintf(header, sizeof header, "bEaReR   %s ", key);
    assert_int_equal(auth_bearer(&ctx, header, true, &token, &kind), ST_OK);
    assert_true(slice_is(token, key));
    assert_int_equal(kind, BEARER_KEY);
    assert_int_equal(auth_bearer(&ctx, "Bearer a.b.c", true, &token, &kind), ST_OK);
    assert_int_equal(kind, BEARER_TOKEN);
    assert_int_equal(auth_bearer(&ctx, "Bearer a.b.c", false, &token, &kind), ST_UNAUTHENTICATED);
    assert_int_equal(auth_bearer(&ctx, NULL, true, &token, &kind), ST_UNAUTHENTICATED);
    assert_int_equal(auth_bearer(&ctx, "Basic dXNlcjpwYXNz", true, &token, &kind), ST_UNAUTHENTICATED);
    assert_int_equal(auth_bearer(&ctx, "Bearer ", true, &token, &kind), ST_UNAUTHENTICATED);
    assert_int_equal(auth_bearer(&ctx, "Bearer asnd_short", true, &token, &kind), ST_UNAUTHENTICATED);
    assert_string_equal(ctx.problem.code, "unauthenticated");
    arena_free(ctx.arena);
}

static void scopes(void **state)
{
    struct actor *clerk = made("id", "clerk", "{1}", "{asn.read,unit.read}");
    struct actor *admin = made("id", "admin", "{\"\"}", "{admin}");
    struct actor *nobody = made("id", "nobody", "{}", "{}");
    (void)state;
    assert_true(actor_has_scope(clerk, "asn.read"));
    assert_false(actor_has_scope(clerk, "asn.write"));
    assert_false(actor_has_scope(clerk, "asn"));
    assert_true(actor_has_scope(admin, "asn.write"));
    assert_false(actor_has_scope(nobody, "asn.read"));
    assert_int_equal(nobody->n_scopes, 0);
    actor_unref(clerk);
    actor_unref(admin);
    actor_unref(nobody);
    actor_unref(NULL);
}

static void the_cache_forgets_in_time(void **state)
{
    struct actor_cache *cache = actor_cache_new(16, 2000);
    struct actor *actor = made("id", "clerk", "{1}", "{asn.read}"), *found = NULL;
    char good[KEY_HASH_HEX_SIZE], bad[KEY_HASH_HEX_SIZE], twin[KEY_HASH_HEX_SIZE];
    (void)state;
    key_hash("good", 4, good);
    key_hash("bad", 3, bad);
    memcpy(twin, good, sizeof twin); /* same bucket, another key */
    twin[60] = twin[60] == '0' ? '1' : '0';
    actor_cache_store(cache, good, 1000, actor);
    actor_unref(actor);
    assert_int_equal(actor_cache_find(cache, good, 2999, &found), ACTOR_GOOD);
    assert_string_equal(found->name, "clerk");
    assert_int_equal(actor_cache_find(cache, good, 3000, &found), ACTOR_UNKNOWN);
    assert_int_equal(actor_cache_find(cache, twin, 1500, &found), ACTOR_UNKNOWN);
    actor_cache_store(cache, good, 3000, NULL); /* revoked meanwhile: the running request keeps its actor */
    assert_int_equal(actor_cache_find(cache, good, 3001, &found), ACTOR_BAD);
    assert_string_equal(found->name, "clerk");
    actor_unref(found);
    actor_cache_store(cache, bad, 3000, NULL);
    assert_int_equal(actor_cache_find(cache, bad, 3001, &found), ACTOR_BAD);
    actor_cache_free(cache);
}

/* Many requests look the same key up again at once: its use is to be written once a minute, not once each. */
static void a_key_that_is_looked_up_anew_keeps_its_noted_use(void **state)
{
    struct actor_cache *cache = actor_cache_new(16, 2000);
    struct actor *old = made("id", "clerk", "{1}", "{asn.read}"), *newer = made("id", "clerk", "{1}", "{asn.read}");
    struct actor *other = made("id2", "boss", "{1}", "{asn.read}");
    char key[KEY_HASH_HEX_SIZE], twin[KEY_HASH_HEX_SIZE];
    (void)state;
    key_hash("good", 4, key);
    memcpy(twin, key, sizeof twin);
    twin[60] = twin[60] == '0' ? '1' : '0';
    actor_cache_store(cache, key, 1000, old);
    old->used_noted_ms = 1234;
    actor_cache_store(cache, key, 3100, newer);
    assert_int_equal(newer->used_noted_ms, 1234);
    actor_cache_store(cache, twin, 3200, other);
    assert_int_equal(other->used_noted_ms, 0);
    actor_unref(old);
    actor_unref(newer);
    actor_unref(other);
    actor_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_is_wellformed_and_every_typing_error_is_not),
        cmocka_unit_test(the_hash_is_sha256),
        cmocka_unit_test(bearer_headers),
        cmocka_unit_test(scopes),
        cmocka_unit_test(the_cache_forgets_in_time),
        cmocka_unit_test(a_key_that_is_looked_up_anew_keeps_its_noted_use),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
