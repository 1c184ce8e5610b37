/* SPDX-License-Identifier: Apache-2.0 */
/* asnd self-test: the libraries as they are loaded now, not as they were when this was built, and what everything rests on. */
#include "cli.h"

#include <string.h>

#include <sodium.h>

#include "asnd/text.h"
#include "libraries.h"

static bool library_is_fine(const struct library *library)
{
    const char *version = library->version(), *least = library->series_least ? library->series_least() : library->least;
    bool fine = !least || version_is_at_least(version, least);
    printf("%-5s %-14s %s", fine ? "ok" : "OLD", library->name, version);
    if (least)
        printf(" (%s: from %s on)", library->fault, least);
    putchar('\n');
    return fine;
}

/* FIPS 180-4's own example: what keys and seals rest on. */
static bool hash_is_fine(void)
{
    static const char wanted[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    uint8_t sum[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof sum + 1];
    crypto_hash_sha256(sum, (const uint8_t *)"abc", 3);
    hex_encode(sum, sizeof sum, hex);
    return strcmp(hex, wanted) == 0;
}

static bool random_is_fine(void)
{
    uint8_t one[32], other[32];
    randombytes_buf(one, sizeof one);
    randombytes_buf(other, sizeof other);
    return memcmp(one, other, sizeof one) != 0;
}

static bool tell(const char *what, bool fine)
{
    printf("%-5s %s\n", fine ? "ok" : "FAIL", what);
    return fine;
}

static int self_test(struct session *session)
{
    bool fine = true;
    for (const struct library *library = libraries; library->name; library++)
        fine &= library_is_fine(library);
    fine &= tell("SHA-256", hash_is_fine());
    fine &= tell("random numbers", random_is_fine());
    fine &= tell("contract", session_load_contract(session));
    fine &= tell("statements", session_load_statements(session));
    return !fine;
}

int cli_self_test(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        if (argc > 0)
            fprintf(stderr, "usage: asnd self-test [--contract FILE] [--sql DIRECTORY]\n");
        else
            status = self_test(&session);
    }
    session_close(&session);
    return status;
}
