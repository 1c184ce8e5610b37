/* SPDX-License-Identifier: Apache-2.0 */
/* Codes: what was signed is read back, and no change of any letter is taken for another code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "asnd/certificate.h"

/* last: it has a macro named fail */
#include <cmocka.h>

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"

static const uint8_t seed[CERTIFICATE_SEED_LEN] = {1, 2, 3}, other_seed[CERTIFICATE_SEED_LEN] = {3, 2, 1};
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool is_good(const char *code, const uint8_t key_seed[CERTIFICATE_SEED_LEN])
{
    uint8_t public_key[CERTIFICATE_PUBLIC_LEN];
    certificate_public_key(key_seed, public_key);
    return certificate_is_signed(code, strlen(code), public_key);
}

static void a_code_says_what_was_signed(void **state)
{
    static const int editions[] = {1, 2, 255, 256, 65535};
    uint8_t public_key[CERTIFICATE_PUBLIC_LEN];
    char key_id[CERTIFICATE_KEY_ID_SIZE];
    (void)state;
    certificate_public_key(seed, public_key);
    certificate_key_id(public_key, key_id);
    for (size_t i = 0; i < ARRAY_LEN(editions); i++) {
        char code[CERTIFICATE_CODE_LEN + 1];
        struct certificate_claim claim;
        certificate_sign(seed, ID, editions[i], code);
        assert_int_equal(strlen(code), CERTIFICATE_CODE_LEN);
        assert_int_equal(strspn(code, letters), CERTIFICATE_CODE_LEN);
        assert_true(certificate_read(code, strlen(code), &claim));
        assert_string_equal(claim.id, ID);
        assert_int_equal(claim.edition, editions[i]);
        assert_string_equal(claim.key_id, key_id);
        assert_true(is_good(code, seed));
        assert_false(is_good(code, other_seed));
    }
}

/* Every letter, by every other one: 7,308 codes, none of them good. */
static void any_letter_changed_fails(void **state)
{
    char code[CERTIFICATE_CODE_LEN + 1];
    (void)state;
    certificate_sign(seed, ID, 1, code);
    for (size_t i = 0; i < CERTIFICATE_CODE_LEN; i++) {
        char right = code[i];
        for (const char *p = letters; *p; p++) {
            code[i] = *p;
            assert_int_equal(is_good(code, seed), *p == right);
        }
        code[i] = right;
    }
}

static void what_has_not_the_form_of_a_code_is_none(void **state)
{
    char code[CERTIFICATE_CODE_LEN + 2], shorter[CERTIFICATE_CODE_LEN + 2];
    struct certificate_claim claim;
    (void)state;
    certificate_sign(seed, ID, 1, code);
    for (size_t n = 0; n < CERTIFICATE_CODE_LEN; n++) {
        memcpy(shorter, code, n);
        shorter[n] = '\0';
        assert_false(certificate_read(shorter, n, &claim));
        assert_false(is_good(shorter, seed));
    }
    strcpy(shorter, code);
    strcat(shorter, "A");
    assert_false(certificate_read(shorter, strlen(shorter), &claim));
    strcpy(shorter, code);
    shorter[50] = '=';
    assert_false(certificate_read(shorter, strlen(shorter), &claim));
    shorter[50] = '+';
    assert_false(certificate_read(shorter, strlen(shorter), &claim));
    certificate_sign(seed, ID, 0, code);
    assert_false(certificate_read(code, strlen(code), &claim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_says_what_was_signed),
        cmocka_unit_test(any_letter_changed_fails),
        cmocka_unit_test(what_has_not_the_form_of_a_code_is_none),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("certificate.code", tests, NULL, NULL);
}
