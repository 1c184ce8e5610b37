/* SPDX-License-Identifier: Apache-2.0 */
/* What every subcommand begins with: settings, contract, statements, a database connection. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "asnd/arena.h"
#include "asnd/buf.h"
#include "asnd/engine.h"
#include "asnd/log.h"
#include "asnd/rules.h"
#include "asnd/vault.h"
#include "embedded.h"

/* No core file, and nobody but root looks into the process: its memory holds keys and personal data. */
static void forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        log_line(LOG_WARNING_, "core-dumps-allowed", LOG_TEXT("reason", strerror(errno)));
}

bool session_accepts(const struct settings *settings, FILE *err)
{
    enum log_level level;
    const char *rows = settings->row_security, *purpose = settings->purpose_required;
    if (!log_level_parse(settings->log_level, &level)) {
        fprintf(err, "asnd: log_level must be debug, info, warning or error.\n");
        return false;
    }
    if (strcmp(rows, "auto") != 0 && strcmp(rows, "require") != 0 && strcmp(rows, "off") != 0) {
        fprintf(err, "asnd: row_security must be auto, require or off.\n");
        return false;
    }
    if (strcmp(purpose, "off") != 0 && strcmp(purpose, "warn") != 0 && strcmp(purpose, "required") != 0) {
        fprintf(err, "asnd: purpose_required must be off, warn or required.\n");
        return false;
    }
    return true;
}

bool session_open(struct session *session, int *argc, char **argv)
{
    enum log_level level;
    struct vault *vault;
    *session = (struct session){.ctx = {.arena = arena_new(0), .lang = LANG_EN}};
    if (!settings_load(argc, argv, &session->settings, stderr) || !session_accepts(&session->settings, stderr))
        return false;
    if (log_level_parse(session->settings.log_level, &level))
        log_set_level(level);
    if (!session->settings.core_dumps)
        forbid_core_dumps();
    if (!vault_read(session->settings.column_keys_file, stderr, &vault))
        return false;
    vault_install(vault);
    return true;
}

bool session_read_file(struct arena *arena, const char *path, struct slice *ret, FILE *err)
{
    FILE *file = fopen(path, "rb");
    long size;
    char *text;
    if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
        fprintf(err, "asnd: cannot read %s: %s.\n", path, strerror(errno));
        if (file)
            fclose(file);
        return false;
    }
    rewind(file);
    text = arena_alloc(arena, (size_t)size + 1);
    ret->len = fread(text, 1, (size_t)size, file);
    text[ret->len] = '\0';
    ret->data = text;
    fclose(file);
    return true;
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

static bool read_contract(struct session *session)
{
    struct slice *text = &session->contract_text;
    format_register("nip", is_nip);
    format_register("nik", is_nik);
    if (*session->settings.contract) {
        session->contract_name = session->settings.contract;
        return session_read_file(session->ctx.arena, session->contract_name, text, stderr);
    }
    session->contract_name = embedded_contract.name;
    *text = (struct slice){embedded_contract.begin, (size_t)(embedded_contract.end - embedded_contract.begin)};
    return true;
}

static bool read_matrix(struct session *session)
{
    struct slice *text = &session->matrix_text;
    if (*session->settings.access) {
        session->matrix_name = session->settings.access;
        return session_read_file(session->ctx.arena, session->matrix_name, text, stderr);
    }
    session->matrix_name = embedded_access.name;
    *text = (struct slice){embedded_access.begin, (size_t)(embedded_access.end - embedded_access.begin)};
    return true;
}

static void *compile_contract(void *cls)
{
    struct session *session = cls;
    session->contract = contract_load(session->contract_text.data, session->contract_text.len, session->contract_name, stderr);
    if (session->contract)
        session->matrix = matrix_load(session->contract, session->matrix_text.data, session->matrix_text.len, session->matrix_name, stderr);
    return NULL;
}

bool session_load_contract(struct session *session)
{
    if (read_contract(session) && read_matrix(session))
        compile_contract(session);
    return session->matrix != NULL;
}

bool session_begin_contract(struct session *session)
{
    return read_contract(session) && read_matrix(session) &&
           pthread_create(&session->contract_thread, NULL, compile_contract, session) == 0;
}

bool session_end_contract(struct session *session)
{
    pthread_join(session->contract_thread, NULL);
    return session->matrix != NULL;
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
        struct slice text = {0};
        fine &= session_read_file(arena, arena_printf(arena, "%s/%s", session->settings.sql, entries[i]->d_name), &text, stderr);
        files[i] = (struct sql_file){arena_strdup(arena, entries[i]->d_name), text.data, text.len};
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

/* Who acts, for every transaction of this session: the user of the system, by this subcommand. */
static bool tell_audit(struct session *session)
{
    struct passwd *user = getpwuid(geteuid());
    const char *actor =
        user ? arena_printf(session->ctx.arena, "cli:%s", user->pw_name) : arena_printf(session->ctx.arena, "cli:%u", geteuid());
    const char *operation = arena_printf(session->ctx.arena, "asnd %s", cli_subcommand);
    struct buf facts;
    char *quoted;
    enum status st;
    buf_init(&facts, session->ctx.arena, 128);
    buf_printf(&facts, "%s\t%s\t,\"actor\":", actor, operation);
    buf_json_string(&facts, actor, strlen(actor));
    BUF_LIT(&facts, ",\"operation\":");
    buf_json_string(&facts, operation, strlen(operation));
    BUF_LIT(&facts, ",\"kind\":\"cli\"");
    quoted = PQescapeLiteral(db_raw(session->conn), buf_cstr(&facts), facts.len);
    st = db_sql(&session->ctx, session->conn, arena_printf(session->ctx.arena, "SET asnd.audit = %s", quoted ? quoted : "''"));
    PQfreemem(quoted);
    return st == ST_OK;
}

bool session_connect_database(struct session *session)
{
    struct db_config config = {.conninfo = session->settings.database_url,
                               .application_name = "asnd",
                               .utc_offset_minutes = (int)session->settings.utc_offset_minutes};
    if (db_connect(&session->ctx, &config, &session->conn) == ST_OK && tell_audit(session))
        return true;
    session_complain(session);
    if (!*session->settings.database_url)
        fprintf(stderr, "asnd: database_url is empty (ASND_DATABASE_URL), so libpq's own environment and defaults said where.\n");
    return false;
}

bool session_check(struct session *session, enum check_depth depth)
{
    struct db_config config = {.conninfo = session->settings.database_url,
                               .application_name = "asnd check",
                               .utc_offset_minutes = (int)session->settings.utc_offset_minutes};
    struct db_conn *conns[2] = {session->conn};
    bool fine, has_two = depth != CHECK_PROGRAM && db_connect(&session->ctx, &config, &conns[1]) == ST_OK; /* one will do */
    size_t n_conns = depth == CHECK_PROGRAM ? 0 : has_two ? 2 : 1;
    problem_clear(&session->ctx);
    fine = engine_check(session->contract, session->matrix, session->set, asnd_bindings, conns, n_conns, depth == CHECK_ALL, stderr);
    if (has_two)
        db_disconnect(conns[1]);
    return fine;
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
            fprintf(stderr, "  %s%s%s: %s\n", f->where, *f->where ? ": " : "", f->code, f->detail);
    }
    return 1;
}

void session_close(struct session *session)
{
    db_disconnect(session->conn);
    sql_set_free(session->set);
    matrix_free(session->matrix);
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

/* The first and the last whole page of what the binary carries; its files stand behind one another (cmake/embed.cmake). */
static void extend(const struct embedded_file *file, uintptr_t *begin, uintptr_t *end)
{
    if ((uintptr_t)file->begin < *begin)
        *begin = (uintptr_t)file->begin;
    if ((uintptr_t)file->end > *end)
        *end = (uintptr_t)file->end;
}

void session_leave_texts(void)
{
    uintptr_t begin = UINTPTR_MAX, end = 0, page = (uintptr_t)sysconf(_SC_PAGESIZE);

    extend(&embedded_contract, &begin, &end);
    extend(&embedded_access, &begin, &end);
    for (const struct embedded_file *file = embedded_sql; file->name; file++)
        extend(file, &begin, &end);
    for (const struct embedded_file *file = embedded_migrations; file->name; file++)
        extend(file, &begin, &end);
    begin = (begin + page - 1) / page * page;
    end = end / page * page;
    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
}
