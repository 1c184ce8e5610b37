/* SPDX-License-Identifier: Apache-2.0 */
/* What every subcommand begins with: settings, contract, statements, a database connection. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/log.h"
#include "asnd/rules.h"
#include "embedded.h"

bool session_open(struct session *session, int *argc, char **argv)
{
    enum log_level level;
    *session = (struct session){.ctx = {.arena = arena_new(0), .lang = LANG_EN}};
    if (!settings_load(argc, argv, &session->settings, stderr))
        return false;
    if (!log_level_parse(session->settings.log_level, &level)) {
        fprintf(stderr, "asnd: log_level must be debug, info, warning or error.\n");
        return false;
    }
    log_set_level(level);
    return true;
}

/* A whole file in the arena; NULL (said on stderr) if it cannot be read. */
static char *read_file(struct arena *arena, const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "rb");
    long size;
    char *text;
    if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
        fprintf(stderr, "asnd: cannot read %s: %s.\n", path, strerror(errno));
        if (file)
            fclose(file);
        return NULL;
    }
    rewind(file);
    text = arena_alloc(arena, (size_t)size + 1);
    *ret_len = fread(text, 1, (size_t)size, file);
    text[*ret_len] = '\0';
    fclose(file);
    return text;
}

/* `format: nip` and `format: nik`: the shape that all kinds of employees share (a part-time PPPK's is no more than that); what depends
 * on the kind is the rule's, in src/asn. */
static bool is_nip(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    struct nip nip;
    struct refusal refusal = nip_parse(text, len, ASN_PPPK_PART_TIME, &nip);
    *ret_en = refusal.en;
    *ret_id = refusal.id;
    return !refusal.code;
}

static bool is_nik(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    struct nik nik;
    struct refusal refusal = nik_parse(text, len, &nik);
    *ret_en = refusal.en;
    *ret_id = refusal.id;
    return !refusal.code;
}

bool session_load_contract(struct session *session)
{
    const char *text = embedded_contract.begin, *name = embedded_contract.name;
    size_t len = (size_t)(embedded_contract.end - embedded_contract.begin);
    format_register("nip", is_nip);
    format_register("nik", is_nik);
    if (*session->settings.contract) {
        name = session->settings.contract;
        text = read_file(session->ctx.arena, name, &len);
        if (!text)
            return false;
    }
    session->contract = contract_load(text, len, name, stderr);
    return session->contract != NULL;
}

static int is_sql(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".sql") == 0;
}

/* All *.sql of a directory, in order of name. */
static bool read_directory(struct session *session, struct sql_file **ret, size_t *ret_n)
{
    struct arena *arena = session->ctx.arena;
    struct dirent **entries;
    int n = scandir(session->settings.sql, &entries, is_sql, alphasort);
    bool fine = n >= 0;
    struct sql_file *files;
    if (!fine) {
        fprintf(stderr, "asnd: cannot read %s: %s.\n", session->settings.sql, strerror(errno));
        return false;
    }
    files = arena_zalloc_array(arena, (size_t)n + 1, sizeof *files);
    for (int i = 0; i < n; i++) {
        files[i].name = arena_strdup(arena, entries[i]->d_name);
        files[i].text = read_file(arena, arena_printf(arena, "%s/%s", session->settings.sql, entries[i]->d_name), &files[i].len);
        fine &= files[i].text != NULL;
        free(entries[i]);
    }
    free(entries);
    *ret = files;
    *ret_n = (size_t)n;
    return fine;
}

bool session_load_statements(struct session *session)
{
    struct sql_file *files;
    size_t n = 0;
    if (*session->settings.sql) {
        if (!read_directory(session, &files, &n))
            return false;
    } else {
        while (embedded_sql[n].name)
            n++;
        files = arena_zalloc_array(session->ctx.arena, n + 1, sizeof *files);
        for (size_t i = 0; i < n; i++)
            files[i] =
                (struct sql_file){embedded_sql[i].name, embedded_sql[i].begin, (size_t)(embedded_sql[i].end - embedded_sql[i].begin)};
    }
    session->set = sql_set_parse(files, n, stderr);
    return session->set != NULL;
}

bool session_connect_database(struct session *session)
{
    struct db_config config = {.conninfo = session->settings.database_url,
                               .application_name = "asnd",
                               .utc_offset_minutes = (int)session->settings.utc_offset_minutes};
    if (db_connect(&session->ctx, &config, &session->conn) == ST_OK)
        return true;
    session_complain(session);
    if (!*session->settings.database_url)
        fprintf(stderr, "asnd: database_url is empty (ASND_DATABASE_URL), so libpq's own environment and defaults said where.\n");
    return false;
}

int session_complain(const struct session *session)
{
    const struct problem *problem = &session->ctx.problem;
    fprintf(stderr, "asnd: %s\n", problem->detail ? problem->detail : "it failed");
    for (const struct fault *f = problem->first_fault; f; f = f->next) {
        if (f->at == AT_ROW)
            fprintf(stderr, "  line %lld%s%s: %s: %s\n", (long long)f->line, f->where ? ", " : "", f->where ? f->where : "", f->code,
                    f->detail);
        else
            fprintf(stderr, "  %s: %s: %s\n", f->where, f->code, f->detail);
    }
    return 1;
}

void session_close(struct session *session)
{
    db_disconnect(session->conn);
    sql_set_free(session->set);
    contract_free(session->contract);
    arena_free(session->ctx.arena);
}

const struct migration *session_migrations(size_t *ret_n)
{
    static struct migration list[1000];
    size_t n = 0;
    for (; n < ARRAY_LEN(list) && embedded_migrations[n].name; n++) {
        const struct embedded_file *file = &embedded_migrations[n];
        list[n] = (struct migration){atoi(file->name), file->name, file->begin, (size_t)(file->end - file->begin)};
    }
    *ret_n = n;
    return list;
}
