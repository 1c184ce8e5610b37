/* SPDX-License-Identifier: Apache-2.0 */
/* What is sealed comes back under its key alone, for its holder alone; what is not sealed passes as it is. */
#include "testing.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "asnd/arena.h"
#include "asnd/vault.h"

#define NIK    "7602011501900123"
#define HOLDER "01900000-0000-7000-8000-000000000001"
#define OTHER  "01900000-0000-7000-8000-000000000002"

static struct arena *arena;
static char path[64];

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

/* The sentence of the refusal; "" if it was taken and is in force. */
static const char *take(void)
{
    char *words = NULL;
    size_t len;
    FILE *err = open_memstream(&words, &len);
    struct vault *vault;
    const char *told;
    bool fine = vault_read(path, err, &vault);
    fclose(err);
    if (fine)
        vault_install(vault);
    told = arena_strdup(arena, words);
    free(words);
    assert_int_equal(fine, *told == '\0');
    return told;
}

static int begin(void **state)
{
    (void)state;
    arena = arena_new(0);
    strcpy(path, "/tmp/asnd-vault-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && sodium_init() >= 0);
    close(fd);
    unlink(path);
    vault_install(NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    vault_install(NULL);
    arena_free(arena);
    return 0;
}

static void add(void)
{
    assert_true(vault_add_key(path, stderr));
    assert_string_equal(take(), "");
}

static const char *opened(const char *sealed)
{
    const char *nik;
    return vault_clear(arena, sealed, &nik) ? nik : "refused";
}

static void without_keys_everything_passes(void **state)
{
    (void)state;
    assert_false(vault_is_set());
    assert_string_equal(vault_seal_nik(arena, NIK, HOLDER), NIK);
    assert_string_equal(vault_seal_json(arena, slice_of("{\"nik\":\"" NIK "\"}"), HOLDER), "{\"nik\":\"" NIK "\"}");
    assert_string_equal(vault_mark_search(arena, NIK), NIK);
    assert_string_equal(vault_seal_blob(arena, slice_of("a"), "c"), "a");
    assert_string_equal(opened(NIK), NIK);
    assert_null(opened(NULL));
}

static void a_nik_comes_back_and_stands_nowhere_in_what_is_stored(void **state)
{
    const char *sealed, *again;
    (void)state;
    add();
    sealed = vault_seal_nik(arena, NIK, HOLDER);
    again = vault_seal_nik(arena, NIK, HOLDER);
    assert_int_equal(strlen(sealed), VAULT_NIK_LEN);
    assert_true(vault_is_sealed(sealed, strlen(sealed)));
    assert_null(strstr(sealed, "760201")); /* the region; the day of birth is told */
    assert_null(strstr(sealed, "0123"));
    assert_memory_equal(sealed + 77, "150190", 6);
    assert_string_not_equal(sealed, again);
    assert_memory_equal(sealed + 45, again + 45, 22); /* the same hash */
    assert_string_equal(opened(sealed), NIK);
    assert_true(vault_is_held_by(sealed, HOLDER));
    assert_false(vault_is_held_by(sealed, OTHER));
    assert_string_equal(vault_seal_nik(arena, sealed, OTHER), sealed);
    assert_string_equal(vault_seal_nik(arena, "760201150190012", HOLDER), "760201150190012");
}

/* Each byte, changed, is refused: the holder and the hashes too, which stand in clear. */
static void nothing_of_it_can_be_changed(void **state)
{
    char text[VAULT_NIK_LEN + 1];
    int opens = 0;
    (void)state;
    add();
    for (size_t i = 1; i < VAULT_NIK_LEN; i++) {
        strcpy(text, vault_seal_nik(arena, NIK, HOLDER));
        text[i] = text[i] == 'A' ? 'B' : 'A';
        opens += strcmp(opened(text), "refused") != 0;
    }
    assert_int_equal(opens, 0);
}

static void an_older_key_opens_and_the_newest_seals(void **state)
{
    const char *old, *fresh;
    (void)state;
    add();
    old = vault_seal_nik(arena, NIK, HOLDER);
    add();
    assert_string_equal(vault_newest(), "0002");
    fresh = vault_seal_nik(arena, NIK, HOLDER);
    assert_memory_equal(old + 3, "0001", 4);
    assert_memory_equal(fresh + 3, "0002", 4);
    assert_memory_equal(old + 45, fresh + 45, 31); /* looked for by the same hashes */
    assert_string_equal(opened(old), NIK);
    assert_string_equal(opened(fresh), NIK);
}

static void another_file_opens_nothing(void **state)
{
    const char *sealed, *blob;
    struct slice plain;
    (void)state;
    add();
    sealed = vault_seal_nik(arena, NIK, HOLDER);
    blob = vault_seal_blob(arena, slice_of("a row, " NIK), "reject 1");
    assert_null(strstr(blob, "row"));
    assert_true(vault_open_blob(arena, slice_of(blob), "reject 1", &plain));
    assert_string_equal(plain.data, "a row, " NIK);
    assert_false(vault_open_blob(arena, slice_of(blob), "reject 2", &plain));
    unlink(path);
    add();
    assert_string_equal(opened(sealed), "refused");
    assert_false(vault_open_blob(arena, slice_of(blob), "reject 1", &plain));
    vault_install(NULL);
    assert_string_equal(opened(sealed), "refused");
}

static void json_is_sealed_wherever_a_nik_stands(void **state)
{
    const char *sealed;
    struct slice told;
    (void)state;
    add();
    sealed = vault_seal_json(arena,
                             slice_of("{\"people\": [{\"\\u006eik\" : \"76020115019001\\u00323\", \"name\": \"nik\", \"x\": 3.5500}, "
                                      "{\"nik\": null}, {\"nik\": \"x\"}]}"),
                             HOLDER);
    assert_null(strstr(sealed, "0123"));
    assert_non_null(strstr(sealed, "\"name\": \"nik\", \"x\": 3.5500}, {\"nik\": null}, {\"nik\": \"x\"}]}"));
    sealed = vault_seal_json(arena, slice_of("{\"nik\": \"" NIK "\", \"note\": \"\\\"\"}"), HOLDER);
    assert_null(strstr(sealed, NIK));
    assert_true(vault_open_text(arena, slice_of(sealed), &told));
    assert_string_equal(told.data, "{\"nik\": \"" NIK "\", \"note\": \"\\\"\"}");
    ((char *)(uintptr_t)strstr(sealed, "~1"))[1] = 'm';
    assert_true(vault_open_text(arena, slice_of(sealed), &told));
    assert_string_equal(told.data, "{\"nik\": \"76************23\", \"note\": \"\\\"\"}");
    assert_string_equal(vault_seal_json(arena, slice_of("{\"nik"), HOLDER), "{\"nik");
}

/* Whoever writes a note that looks as if it were sealed has written a note. */
static void somebodys_text_is_left_alone(void **state)
{
    const char *text;
    struct slice told;
    (void)state;
    add();
    text = arena_printf(arena, "{\"note\": \"%s\"}", vault_seal_nik(arena, NIK, HOLDER));
    assert_true(vault_open_text(arena, slice_of(text), &told));
    assert_string_equal(told.data, text);
}

static void json_is_renewed(void **state)
{
    const char *old, *fresh;
    struct slice told;
    (void)state;
    add();
    old = vault_seal_json(arena, slice_of("{\"nik\": \"" NIK "\"}"), HOLDER);
    add();
    assert_true(vault_renew_json(arena, slice_of(old), HOLDER, &fresh));
    assert_non_null(strstr(fresh, "~1.0002."));
    assert_true(vault_open_text(arena, slice_of(fresh), &told));
    assert_string_equal(told.data, "{\"nik\": \"" NIK "\"}");
    assert_true(vault_renew_json(arena, slice_of("{\"nik\": \"" NIK "\"}"), HOLDER, &fresh));
    assert_null(strstr(fresh, NIK));
}

static void a_search_is_marked_by_what_it_may_find(void **state)
{
    const char *whole, *sealed;
    (void)state;
    add();
    sealed = vault_seal_nik(arena, NIK, HOLDER);
    whole = vault_mark_search(arena, "7602 0115 0190 0123");
    assert_memory_equal(whole, NIK "~", 17);
    assert_memory_equal(whole + 17, sealed + 45, 22);
    assert_int_equal(strlen(whole), 39);
    whole = vault_mark_search(arena, "76020115");
    assert_memory_equal(whole + 9, sealed + 68, 8);
    assert_string_equal(whole + 17, "15");
    for (const char *const *q = (const char *const[]){"76020", "7602011501900", "199001152015031999", "contoh", "76a201", NULL}; *q; q++)
        assert_string_equal(vault_mark_search(arena, *q), *q);
}

static void what_is_wrong_with_a_file_is_said(void **state)
{
    static const char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    (void)state;
    assert_non_null(strstr(take(), "cannot be read"));
    write_file("", 0600);
    assert_non_null(strstr(take(), "needs a numbered key and a line search"));
    write_file(arena_printf(arena, "0001 %s\n", key), 0600);
    assert_non_null(strstr(take(), "needs a numbered key and a line search"));
    write_file(arena_printf(arena, "search %s\n1 %s\n", key, key), 0600);
    assert_non_null(strstr(take(), "not four digits"));
    write_file(arena_printf(arena, "search %s\n0001 %s\n0001 %s\n", key, key, key), 0600);
    assert_non_null(strstr(take(), "two keys of one number"));
    write_file(arena_printf(arena, "search %s\n0001 %.62s\n", key, key), 0600);
    assert_non_null(strstr(take(), "64 hex digits"));
    write_file(arena_printf(arena, "# mine\n\nsearch %s\n0001 %s\n", key, key), 0644);
    assert_non_null(strstr(take(), "chmod 640"));
    assert_false(vault_is_set());
    assert_int_equal(chmod(path, 0640), 0);
    assert_string_equal(take(), "");
    assert_true(vault_is_set() && vault_has_key("0001") && !vault_has_key("0002"));
}

static void a_hash_is_keyed_if_there_are_keys(void **state)
{
    char plain[65], keyed[65];
    (void)state;
    vault_hash("a", 1, plain);
    add();
    vault_hash("a", 1, keyed);
    assert_int_equal(strlen(plain), 64);
    assert_string_not_equal(plain, keyed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_keys_everything_passes, begin, end),
        cmocka_unit_test_setup_teardown(a_nik_comes_back_and_stands_nowhere_in_what_is_stored, begin, end),
        cmocka_unit_test_setup_teardown(nothing_of_it_can_be_changed, begin, end),
        cmocka_unit_test_setup_teardown(an_older_key_opens_and_the_newest_seals, begin, end),
        cmocka_unit_test_setup_teardown(another_file_opens_nothing, begin, end),
        cmocka_unit_test_setup_teardown(json_is_sealed_wherever_a_nik_stands, begin, end),
        cmocka_unit_test_setup_teardown(somebodys_text_is_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(json_is_renewed, begin, end),
        cmocka_unit_test_setup_teardown(a_search_is_marked_by_what_it_may_find, begin, end),
        cmocka_unit_test_setup_teardown(what_is_wrong_with_a_file_is_said, begin, end),
        cmocka_unit_test_setup_teardown(a_hash_is_keyed_if_there_are_keys, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
