/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP: settings, certificate, the provider's keys and access.yaml are read again. All of it is looked at first; what is at fault leaves everything as it was. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/engine.h"
#include "asnd/log.h"
#include "asnd/metrics.h"
#include "asnd/vault.h"

#define GOOD    "outcome=\"good\""
#define REFUSED "outcome=\"refused\""

/* The flags as they were given: settings_load takes out of argv what it understands. */
static struct {
    int argc;
    char **argv;
} given;

void reload_note_flags(int argc, char **argv)
{
    given.argc = argc;
    given.argv = calloc((size_t)argc + 1, sizeof *given.argv);
    if (!given.argv)
        die_no_memory();
    memcpy(given.argv, argv, (size_t)argc * sizeof *argv);
}

/* Settings in force and before: somebody may still be reading them. */
static struct renewed {
    struct renewed *before;
    struct settings settings;
} * newest;

static bool read_settings(struct settings *fresh, FILE *err)
{
    int argc = given.argc;
    char **argv = calloc((size_t)argc + 1, sizeof *argv);
    bool fine;
    if (!argv)
        die_no_memory();
    memcpy(argv, given.argv, (size_t)argc * sizeof *argv);
    fine = settings_load(&argc, argv, fresh, err) && session_accepts(fresh, err);
    free(argv);
    return fine;
}

/* An access.yaml of one's own is held against the contract; another one than that in force needs a restart, for callers are known by its roles. */
static bool look_at_access(const struct session *session, struct arena *arena, struct buf *held, FILE *err)
{
    struct slice text;
    struct contract *contract;
    struct matrix *matrix;
    bool fine;
    if (!*session->settings.access)
        return true;
    if (!session_read_file(arena, session->settings.access, &text, err))
        return false;
    if (text.len == session->matrix_text.len && memcmp(text.data, session->matrix_text.data, text.len) == 0)
        return true;
    contract = contract_load(session->contract_text.data, session->contract_text.len, session->contract_name, err);
    matrix = contract ? matrix_load(contract, text.data, text.len, session->settings.access, err) : NULL;
    fine = matrix && matrix_faults(matrix) == 0;
    matrix_free(matrix);
    contract_free(contract);
    buf_printf(held, "%saccess", held->len ? " " : "");
    return fine;
}

static bool are_the_same(const struct vault *a, const struct vault *b)
{
    char one[VAULT_SAYS_SIZE], other[VAULT_SAYS_SIZE];
    size_t i = 0;
    if (!a || !b)
        return a == b;
    for (; vault_name(a, i) && vault_name(b, i); i++) {
        vault_says(a, i, one);
        vault_says(b, i, other);
        if (strcmp(vault_name(a, i), vault_name(b, i)) != 0 || strcmp(one, other) != 0)
            return false;
    }
    return !vault_name(a, i) && !vault_name(b, i);
}

/* Other keys than before are those of the database, or are not taken. */
static bool look_at_keys(const struct session *session, const struct vault *vault, struct arena *arena, FILE *err)
{
    struct ctx ctx = {.arena = arena, .lang = LANG_EN};
    struct db_config config = {.conninfo = session->settings.database_url,
                               .application_name = "asnd reload",
                               .utc_offset_minutes = (int)session->settings.utc_offset_minutes};
    struct db_conn *conn = NULL;
    const char *wrong = NULL;
    bool was_asked;
    if (!vault || are_the_same(vault, vault_installed()))
        return true;
    was_asked = db_connect(&ctx, &config, &conn) == ST_OK && same_keys(&ctx, conn, session->set, vault, true, &wrong) == ST_OK;
    db_disconnect(conn);
    if (!was_asked)
        fprintf(err, "asnd: the database could not be asked whether the keys in column_keys_file are its own.\n");
    else if (wrong)
        fprintf(err, SAME_KEYS_REFUSAL, wrong);
    return was_asked && !wrong;
}

static bool look_at_all(const struct session *session, struct engine *engine, struct settings *fresh, struct tls_pair **ret_pair,
                        struct vault **ret_vault, struct buf *held, FILE *err)
{
    const char *why = NULL;
    if (!read_settings(fresh, err) || !look_at_access(session, held->arena, held, err))
        return false;
    settings_hold(fresh, engine_settings(engine), held);
    if (!vault_read(fresh->column_keys_file, err, ret_vault) || !look_at_keys(session, *ret_vault, held->arena, err))
        return false;
    if (engine_check_renewal(engine, fresh, ret_pair, &why))
        return true;
    fprintf(err, "asnd: %s.\n", why);
    return false;
}

static void take_all(struct engine *engine, struct renewed *renewed, struct tls_pair *pair, struct vault *vault)
{
    vault_install(vault);
    renewed->before = newest;
    newest = renewed;
    engine_renew(engine, &renewed->settings, pair);
}

static struct metric *counter(const char *outcome)
{
    return metric_new(METRIC_COUNTER, "asnd_reloads_total", outcome, "Reloads of settings and files (SIGHUP)");
}

void reload_begin_counting(void)
{
    counter(GOOD);
    counter(REFUSED);
}

static void set_log_level(const struct settings *settings)
{
    enum log_level level;
    if (log_level_parse(settings->log_level, &level))
        log_set_level(level);
}

static void tell(bool is_good, char *words, struct buf *held)
{
    metric_add(counter(is_good ? GOOD : REFUSED), 1);
    words[strcspn(words, "\n")] = '\0'; /* the first fault will do */
    if (!is_good)
        log_line(LOG_ERROR_, "reload-refused", LOG_TEXT("reason", words));
    else
        log_line(LOG_INFO_, "reloaded", LOG_TEXT("needs_restart", held->len ? buf_cstr(held) : NULL));
}

void reload(const struct session *session, struct engine *engine)
{
    struct arena *arena = arena_new(1024);
    struct renewed *renewed = calloc(1, sizeof *renewed);
    struct tls_pair *pair = NULL;
    struct vault *vault = NULL;
    struct buf held;
    char *words = NULL;
    size_t len;
    FILE *err = open_memstream(&words, &len);
    bool is_good;
    if (!err || !renewed)
        die_no_memory();
    buf_init(&held, arena, 256);
    is_good = look_at_all(session, engine, &renewed->settings, &pair, &vault, &held, err);
    fclose(err);
    if (is_good) {
        take_all(engine, renewed, pair, vault);
        log_set_level(LOG_INFO_); /* that it was done is told whatever the level was and will be */
    } else {
        free(renewed);
        vault_drop(vault);
    }
    tell(is_good, words, &held);
    set_log_level(engine_settings(engine));
    free(words);
    arena_free(arena);
}
