/* SPDX-License-Identifier: Apache-2.0 */
/* Settings from file, environment and flags, against one table. Whatever is not understood stops the start with a sentence. */
#include "asnd/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"
#include "asnd/log.h"
#include "asnd/text.h"

extern char **environ;

/* Of a settings file, with its newline and NUL. */
#define LINE_SIZE 4096

enum kind { TEXT, INT, BOOL };
enum source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG };

struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *text_default;
    int64_t int_default, min, max;
    bool is_secret;
    const char *help;
};

static const struct row rows[] = {
#define SETTING_TEXT(n, def, secret, h)                                                                                                    \
    {.name = #n, .kind = TEXT, .offset = offsetof(struct settings, n), .text_default = (def), .is_secret = (secret), .help = (h)},
#define SETTING_INT(n, def, lo, hi, h)                                                                                                     \
    {.name = #n, .kind = INT, .offset = offsetof(struct settings, n), .int_default = (def), .min = (lo), .max = (hi), .help = (h)},
#define SETTING_BOOL(n, def, h) {.name = #n, .kind = BOOL, .offset = offsetof(struct settings, n), .int_default = (def), .help = (h)},
#include "asnd/settings.def"
#undef SETTING_TEXT
#undef SETTING_INT
#undef SETTING_BOOL
};

static enum source sources[ARRAY_LEN(rows)];
static const char *file_read; /* NULL: none */

/* Variables that belong to the project without being settings: what run.sh leaves for curl, and what the tests use. */
static bool is_other_variable(const char *name)
{
    return strcmp(name, "CONFIG") == 0 || strcmp(name, "URL") == 0 || strcmp(name, "ADMIN_KEY") == 0 || strncmp(name, "TEST_", 5) == 0;
}

static size_t row_find(const char *name)
{
    size_t i = 0;
    while (i < ARRAY_LEN(rows) && strcmp(rows[i].name, name) != 0)
        i++;
    return i;
}

static void put_upper(FILE *out, const char *name)
{
    for (; *name; name++)
        fputc(toupper((unsigned char)*name), out);
}

static const char *nearest_name(const char *name)
{
    const char *names[ARRAY_LEN(rows)];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        names[i] = rows[i].name;
    return text_nearest(name, names, ARRAY_LEN(rows));
}

static bool unknown_in_file(const char *name, const char *where, FILE *err)
{
    const char *nearest = nearest_name(name);
    fprintf(err, "asnd: %s: there is no setting \"%s\"; ", where, name);
    if (nearest)
        fprintf(err, "did you mean \"%s\"?\n", nearest);
    else
        fprintf(err, "`asnd config` lists them all.\n");
    return false;
}

/* `variable` as it stands in the environment, `len` bytes up to the equals sign; `name` the setting that it would be. */
static bool unknown_in_environment(const char *variable, size_t len, const char *name, FILE *err)
{
    const char *nearest = nearest_name(name);
    fprintf(err, "asnd: environment: %.*s is no setting; ", (int)len, variable);
    if (nearest) {
        fputs("did you mean ASND_", err);
        put_upper(err, nearest);
        fputs("?\n", err);
    } else {
        fprintf(err, "`asnd config --markdown` lists them all.\n");
    }
    return false;
}

/* Copies live as long as the process: a handful, made at start. */
static const char *keep(const char *text)
{
    static struct kept {
        struct kept *next;
        char text[];
    } * all;
    size_t size = strlen(text) + 1;
    struct kept *copy = malloc(sizeof *copy + size);
    if (!copy)
        die_no_memory();
    copy->next = all;
    all = copy;
    return memcpy(copy->text, text, size);
}

static bool assign_int(const struct row *row, const char *value, const char *where, int64_t *slot, FILE *err)
{
    char *end;
    long long number;
    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno || end == value || *end || !(isdigit((unsigned char)*value) || *value == '-') || number < row->min || number > row->max) {
        fprintf(err, "asnd: %s: %s must be a whole number from %lld to %lld, not \"%s\".\n", where, row->name, (long long)row->min,
                (long long)row->max, value);
        return false;
    }
    *slot = number;
    return true;
}

static bool assign_bool(const struct row *row, const char *value, const char *where, bool *slot, FILE *err)
{
    bool yes = strcmp(value, "true") == 0;
    if (!yes && strcmp(value, "false") != 0) {
        fprintf(err, "asnd: %s: %s must be true or false, not \"%s\".\n", where, row->name, value);
        return false;
    }
    *slot = yes;
    return true;
}

static bool assign(struct settings *settings, size_t i, const char *value, enum source source, const char *where, FILE *err)
{
    const struct row *row = &rows[i];
    char *slot = (char *)settings + row->offset;
    bool fine = true;
    if (row->kind == TEXT)
        *(const char **)(void *)slot = keep(value);
    else if (row->kind == INT)
        fine = assign_int(row, value, where, (int64_t *)(void *)slot, err);
    else
        fine = assign_bool(row, value, where, (bool *)slot, err);
    if (fine)
        sources[i] = source;
    return fine;
}

static void set_defaults(struct settings *settings)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *slot = (char *)settings + rows[i].offset;
        if (rows[i].kind == TEXT)
            *(const char **)(void *)slot = rows[i].text_default;
        else if (rows[i].kind == INT)
            *(int64_t *)(void *)slot = rows[i].int_default;
        else
            *(bool *)slot = rows[i].int_default != 0;
        sources[i] = FROM_DEFAULT;
    }
}

static char *trim(char *text)
{
    char *end;
    while (isspace((unsigned char)*text))
        text++;
    end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

static bool read_line(struct settings *settings, char *line, const char *where, FILE *err)
{
    char *name = trim(line), *equals = strchr(name, '=');
    size_t i;
    if (*name == '\0' || *name == '#')
        return true;
    if (!equals) {
        fprintf(err, "asnd: %s: a line must read \"name = value\".\n", where);
        return false;
    }
    *equals = '\0';
    name = trim(name);
    i = row_find(name);
    return i < ARRAY_LEN(rows) ? assign(settings, i, trim(equals + 1), FROM_FILE, where, err) : unknown_in_file(name, where, err);
}

static bool read_file(struct settings *settings, const char *path, FILE *err)
{
    FILE *file = fopen(path, "r");
    char line[LINE_SIZE], where[512];
    int number = 0;
    bool fine = true;
    if (!file) {
        fprintf(err, "asnd: cannot read the settings file %s: %s.\n", path, strerror(errno));
        return false;
    }
    while (fine && fgets(line, sizeof line, file)) {
        snprintf(where, sizeof where, "%s:%d", path, ++number);
        if (strlen(line) + 1 == sizeof line) {
            fprintf(err, "asnd: %s: the line is longer than %zu bytes.\n", where, sizeof line - 2);
            fine = false;
        } else {
            fine = read_line(settings, line, where, err);
        }
    }
    if (fine && ferror(file)) { /* a directory, for one */
        fprintf(err, "asnd: cannot read the settings file %s: %s.\n", path, strerror(errno));
        fine = false;
    }
    fclose(file);
    file_read = keep(path);
    return fine;
}

static bool read_environment(struct settings *settings, FILE *err)
{
    for (char **entry = environ; *entry; entry++) {
        char name[64];
        const char *equals = strchr(*entry, '=');
        size_t len, i;
        if (strncmp(*entry, "ASND_", 5) != 0 || !equals)
            continue;
        len = (size_t)(equals - *entry) - 5;
        if (len >= sizeof name)
            len = sizeof name - 1;
        memcpy(name, *entry + 5, len);
        name[len] = '\0';
        if (is_other_variable(name))
            continue;
        for (char *p = name; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        i = row_find(name);
        if (i == ARRAY_LEN(rows))
            return unknown_in_environment(*entry, (size_t)(equals - *entry), name, err);
        if (!assign(settings, i, equals + 1, FROM_ENVIRONMENT, "environment", err))
            return false;
    }
    return true;
}

/* The row of --name or --name=value; ARRAY_LEN(rows) if this is no setting. Dashes stand for underscores. */
static size_t flag_row(const char *flag, const char **ret_value)
{
    char name[64];
    size_t n = 0;
    *ret_value = NULL;
    if (strncmp(flag, "--", 2) != 0)
        return ARRAY_LEN(rows);
    for (flag += 2; *flag && *flag != '=' && n + 1 < sizeof name; flag++)
        name[n++] = *flag == '-' ? '_' : *flag;
    name[n] = '\0';
    if (*flag == '=')
        *ret_value = flag + 1;
    return row_find(name);
}

static bool secret_as_flag(const struct row *row, FILE *err)
{
    fprintf(err, "asnd: %s is a secret, and a flag would show it in the process list; use ASND_", row->name);
    put_upper(err, row->name);
    fputs(" or the settings file.\n", err);
    return false;
}

/* What the flags say, before any of it is assigned: they win over the file, but name it. */
struct flags {
    const char *config;
    const char *values[ARRAY_LEN(rows)]; /* NULL: not given */
};

/* Takes the setting flags out of argv; the rest closes up. */
static bool take_flags(int *argc, char **argv, struct flags *flags, FILE *err)
{
    int kept = 0, at = 0;
    while (at < *argc && strcmp(argv[at], "--") != 0) {
        const char *flag = argv[at++], *value;
        bool is_config = strncmp(flag, "--config", 8) == 0 && (flag[8] == '=' || flag[8] == '\0');
        size_t i = flag_row(flag, &value);
        if (!is_config && i == ARRAY_LEN(rows)) {
            argv[kept++] = argv[at - 1];
            continue;
        }
        if (!is_config && rows[i].is_secret)
            return secret_as_flag(&rows[i], err);
        if (!value && at == *argc) {
            fprintf(err, "asnd: the flag %s needs a value.\n", flag);
            return false;
        }
        if (!value)
            value = argv[at++];
        *(is_config ? &flags->config : &flags->values[i]) = value;
    }
    while (at < *argc)
        argv[kept++] = argv[at++];
    *argc = kept;
    return true;
}

static bool assign_flags(struct settings *settings, const struct flags *flags, FILE *err)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (flags->values[i] && !assign(settings, i, flags->values[i], FROM_FLAG, "flag", err))
            return false;
    return true;
}

bool settings_load(int *argc, char **argv, struct settings *ret, FILE *err)
{
    struct flags flags = {.config = getenv("ASND_CONFIG")};
    set_defaults(ret);
    return take_flags(argc, argv, &flags, err) && (!flags.config || !*flags.config || read_file(ret, flags.config, err)) &&
           read_environment(ret, err) && assign_flags(ret, &flags, err);
}

static void print_value(const struct settings *settings, const struct row *row, FILE *out)
{
    const char *slot = (const char *)settings + row->offset;
    if (row->kind == TEXT)
        fputs(*(const char *const *)(const void *)slot, out);
    else if (row->kind == INT)
        fprintf(out, "%lld", (long long)*(const int64_t *)(const void *)slot);
    else
        fputs(*(const bool *)slot ? "true" : "false", out);
}

/* Can read_file give this text back? A variable or a flag may hold what a line cannot. */
static bool fits_a_line(const struct row *row, const char *text)
{
    size_t len = strlen(text);
    bool has_outer_blank = len && (isspace((unsigned char)text[0]) || isspace((unsigned char)text[len - 1]));
    return !has_outer_blank && !strpbrk(text, "\r\n") && strlen(row->name) + strlen(" = \n") + len < LINE_SIZE - 1;
}

/* Why this value is not shown; NULL when it is. */
static const char *reason_to_hide(const struct settings *settings, const struct row *row)
{
    const char *text;
    if (row->kind != TEXT)
        return NULL;
    text = *(const char *const *)(const void *)((const char *)settings + row->offset);
    if (row->is_secret && *text)
        return "********";
    return fits_a_line(row, text) ? NULL : "(what a line of a file cannot hold)";
}

/* What is looked up each time that it counts. All others were given to somebody at the start. */
static const char *const live[] = {
    "body_limit",
    "stop_delay_ms",
    "stop_timeout_ms",
    "public_rate",
    "token_rate",
    "key_rate",
    "wait_limit_ms",
    "wrong_key_rate",
    "caller_requests",
    "caller_jobs",
    "trusted_proxies",
    "client_cert_header",
    "tls_certificate",
    "tls_key",
    "idempotency_hours",
    "change_days",
    "undo_days",
    "public_url",
    "survey_url",
    "certificate_font",
    "certificate_font_bold",
    "log_level",
    "log_requests",
    "column_keys_file",
    "replica_url",
    "replica_connections",
    "replica_lag_ms",
};

/* A certificate may take another's place, but whether HTTPS is spoken is decided at the start. */
static bool switches_tls(const struct settings *a, const struct settings *b)
{
    return !*a->tls_certificate != !*b->tls_certificate;
}

static bool is_live(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(live); i++)
        if (strcmp(live[i], name) == 0)
            return true;
    return false;
}

static bool same_value(const struct row *row, const char *a, const char *b)
{
    if (row->kind == TEXT)
        return strcmp(*(const char *const *)(const void *)a, *(const char *const *)(const void *)b) == 0;
    return row->kind == INT ? *(const int64_t *)(const void *)a == *(const int64_t *)(const void *)b : *(const bool *)a == *(const bool *)b;
}

static const size_t slot_sizes[] = {[TEXT] = sizeof(char *), [INT] = sizeof(int64_t), [BOOL] = sizeof(bool)};

void settings_hold(struct settings *fresh, const struct settings *old, struct buf *ret_held)
{
    bool switches = switches_tls(fresh, old);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *new_slot = (char *)fresh + rows[i].offset;
        const char *old_slot = (const char *)old + rows[i].offset;
        bool may_change = is_live(rows[i].name) && !(switches && strncmp(rows[i].name, "tls_", 4) == 0);
        if (may_change || same_value(&rows[i], new_slot, old_slot))
            continue;
        buf_printf(ret_held, "%s%s", ret_held->len ? " " : "", rows[i].name);
        memcpy(new_slot, old_slot, slot_sizes[rows[i].kind]);
    }
}

void settings_print(const struct settings *settings, FILE *out)
{
    static const char *const names[] = {"default", "file", "environment", "flag"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *hidden = reason_to_hide(settings, &rows[i]);
        fprintf(out, "# %s (%s)\n%s%s = ", rows[i].help, names[sources[i]], hidden ? "# " : "", rows[i].name);
        if (hidden)
            fputs(hidden, out);
        else
            print_value(settings, &rows[i], out);
        fputc('\n', out);
    }
}

static void put_default(FILE *out, const struct row *row, const char *quote)
{
    if (row->kind == INT)
        fprintf(out, "%lld", (long long)row->int_default);
    else if (row->kind == BOOL)
        fputs(row->int_default ? "true" : "false", out);
    else if (*row->text_default)
        fprintf(out, "%s%s%s", quote, row->text_default, quote);
}

void settings_print_markdown(FILE *out)
{
    fprintf(out, "| Setting | Environment | Default | Meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        fprintf(out, "| `%s` | `ASND_", row->name);
        put_upper(out, row->name);
        fputs("` | ", out);
        put_default(out, row, "`");
        fprintf(out, " | %s%s |\n", row->help, row->is_secret ? " (secret)" : "");
    }
}

const char *settings_file_with_secret(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].is_secret && sources[i] == FROM_FILE)
            return file_read;
    return NULL;
}

/* One line of mdoc: a backslash is written as one, and what begins a line is no request. */
static void put_mdoc(FILE *out, const char *text)
{
    for (fputs("\\&", out); *text; text++)
        fputs(*text == '\\' ? "\\e" : (char[]){*text, '\0'}, out);
}

void settings_print_mdoc(FILE *out)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        fprintf(out, ".It Va %s\n", row->name);
        put_mdoc(out, row->help);
        if (row->is_secret)
            fputs(" (secret)", out);
        if (row->kind != TEXT || *row->text_default) {
            fputs(".\nDefault: ", out);
            put_default(out, row, "");
        }
        fputs(".\n", out);
    }
}

bool settings_number(const struct settings *settings, const char *name, int64_t *ret)
{
    size_t i = row_find(name);
    if (i == ARRAY_LEN(rows) || rows[i].kind != INT)
        return false;
    if (settings)
        *ret = *(const int64_t *)(const void *)((const char *)settings + rows[i].offset);
    return true;
}
