/* SPDX-License-Identifier: Apache-2.0 */
/* A start that finds program and catalog as an earlier start has found them right need not prepare every statement again (decision 17).
 * `asnd check` always does. */
#include "cli.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "asnd/arena.h"

#define DIGEST_BYTES 32

/* The running program's file, into the hash; false if it cannot be read. */
static bool hash_program(crypto_generichash_state *hash)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat info;
    void *bytes = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0)
        bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    if (bytes == MAP_FAILED)
        return false;
    crypto_generichash_update(hash, bytes, (unsigned long long)info.st_size);
    munmap(bytes, (size_t)info.st_size);
    return true;
}

/* Program, contract and matrix as one text; NULL if they have none: with statements from a directory, which somebody is just writing. */
static const char *digest(struct session *session)
{
    crypto_generichash_state hash;
    unsigned char sum[DIGEST_BYTES];
    char *text = arena_alloc(session->ctx.arena, 2 * DIGEST_BYTES + 1);
    crypto_generichash_init(&hash, NULL, 0, sizeof sum);
    if (*session->settings.sql || !hash_program(&hash))
        return NULL;
    crypto_generichash_update(&hash, (const unsigned char *)session->contract_text.data, session->contract_text.len);
    crypto_generichash_update(&hash, (const unsigned char *)session->matrix_text.data, session->matrix_text.len);
    crypto_generichash_final(&hash, sum, sizeof sum);
    return sodium_bin2hex(text, 2 * DIGEST_BYTES + 1, sum, sizeof sum);
}

bool session_find_checked(struct session *session, struct checked *ret)
{
    PGresult *res;
    *ret = (struct checked){.program = digest(session)};
    if (!ret->program ||
        db_query(&session->ctx, session->conn, session->set, "start.isChecked", &res, "program", ret->program, NULL) != ST_OK) {
        problem_clear(&session->ctx); /* then everything is prepared, and says what is wrong */
        return false;
    }
    ret->catalog = PQgetvalue(res, 0, 0);
    return *PQgetvalue(res, 0, 1) == 't';
}

void session_note_checked(struct session *session, const struct checked *checked)
{
    PGresult *res;
    if (checked->catalog && db_query(&session->ctx, session->conn, session->set, "start.noteChecked", &res, "program", checked->program,
                                     "catalog", checked->catalog, NULL) != ST_OK)
        problem_clear(&session->ctx); /* the next start prepares them again: no harm is done */
}
