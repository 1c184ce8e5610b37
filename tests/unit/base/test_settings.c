/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: which source wins, what is refused and in which words, what is shown. */
#include "testing.h"

#include "asnd/buf.h"
#include "asnd/settings.h"

extern char **environ;

/* One start of the daemon: a file's text (or NULL), variables, flags; then what came of it. */
struct start {
    bool fine;
    struct settings settings;
    int argc;
    char *argv[12];
    char said[1024];
};

static char file_path[] = "/tmp/asnd-settings-XXXXXX";

static int set_up(void **state)
{
    int fd = mkstemp(file_path);
    (void)state;
    return fd < 0 || close(fd) != 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(file_path);
}

static void write_settings(const char *text)
{
    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

/* `flags` is split at spaces in place. */
static struct start start_with(const char *file, char *const *variables, const char *flags)
{
    static char words[256];
    struct start start = {.said = ""};
    char **saved = environ, *empty[] = {NULL}, *rest = words;
    FILE *err = fmemopen(start.said, sizeof start.said, "w");
    snprintf(words, sizeof words, "%s", flags);
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            start.argv[start.argc++] = word;
    environ = (char **)(uintptr_t)(variables ? variables : empty);
    if (file) {
        write_settings(file);
        setenv("ASND_CONFIG", file_path, 1);
    }
    start.fine = settings_load(&start.argc, start.argv, &start.settings, err);
    if (file)
        unsetenv("ASND_CONFIG");
    environ = saved;
    fclose(err);
    return start;
}

static void defaults_stand_in_the_table(void **state)
{
    struct start start = start_with(NULL, NULL, "");
    (void)state;
    assert_true(start.fine);
    assert_string_equal(start.said, "");
    assert_string_equal(start.settings.listen, "127.0.0.1");
    assert_int_equal(start.settings.port, 8080);
    assert_int_equal(start.settings.utc_offset_minutes, 480);
    assert_true(start.settings.log_requests);
    assert_string_equal(start.settings.database_url, "");
}

static void later_sources_win(void **state)
{
    static char *variables[] = {"ASND_PORT=2002", "ASND_WORKERS=22", "PORT=9", "OTHER=x", NULL};
    static const char file[] = "# a comment\n\n port = 2001 \nworkers=21\n\tloops\t=\t11\nlog_requests = false\nlisten = ::1";
    struct start start;
    (void)state;
    start = start_with(file, NULL, "");
    assert_true(start.fine);
    assert_int_equal(start.settings.port, 2001);
    assert_int_equal(start.settings.workers, 21);
    assert_int_equal(start.settings.loops, 11);
    assert_false(start.settings.log_requests);
    assert_string_equal(start.settings.listen, "::1"); /* also without a last newline */
    start = start_with(file, variables, "");
    assert_int_equal(start.settings.port, 2002);
    assert_int_equal(start.settings.workers, 22);
    assert_int_equal(start.settings.loops, 11);
    start = start_with(file, variables, "--port=2003 --log-requests true");
    assert_true(start.fine);
    assert_int_equal(start.settings.port, 2003);
    assert_int_equal(start.settings.workers, 22);
    assert_int_equal(start.settings.loops, 11);
    assert_true(start.settings.log_requests);
    assert_int_equal(start.argc, 0);
}

static void the_file_may_be_named_by_a_flag_anywhere(void **state)
{
    char flags[128];
    struct start start;
    (void)state;
    write_settings("port = 2001\nworkers = 21\n");
    snprintf(flags, sizeof flags, "--port 2003 --config %s", file_path);
    start = start_with(NULL, NULL, flags);
    assert_true(start.fine);
    assert_int_equal(start.settings.port, 2003); /* the flag wins, although it stands before */
    assert_int_equal(start.settings.workers, 21);
    snprintf(flags, sizeof flags, "--config=%s", file_path);
    start = start_with(NULL, NULL, flags);
    assert_int_equal(start.settings.port, 2001);
}

static void the_same_setting_twice_takes_the_last(void **state)
{
    static char *variables[] = {"ASND_DATABASE_URL=host=b", NULL};
    struct start start = start_with("database_url = host=a dbname=x\ndatabase_url = host=c\n", variables, "--port 1 --port 2");
    (void)state;
    assert_true(start.fine);
    assert_int_equal(start.settings.port, 2);
    assert_string_equal(start.settings.database_url, "host=b");
    start = start_with("database_url = host=a dbname=x\n", NULL, "");
    assert_string_equal(start.settings.database_url, "host=a dbname=x"); /* only the first equals sign parts */
}

static void what_is_no_setting_stays_in_order(void **state)
{
    struct start start = start_with(NULL, NULL, "create --port 81 --label x --head-limit=5000 last");
    (void)state;
    assert_true(start.fine);
    assert_int_equal(start.argc, 4);
    assert_string_equal(start.argv[0], "create");
    assert_string_equal(start.argv[1], "--label");
    assert_string_equal(start.argv[2], "x");
    assert_string_equal(start.argv[3], "last");
    assert_int_equal(start.settings.port, 81);
    assert_int_equal(start.settings.head_limit, 5000);
    start = start_with(NULL, NULL, "a --port 81 -- --port 82");
    assert_int_equal(start.settings.port, 81);
    assert_int_equal(start.argc, 4);
    assert_string_equal(start.argv[2], "--port");
}

static void variables_of_curl_scripts_and_tests_are_let_be(void **state)
{
    static char *variables[] = {"ASND_URL=http://127.0.0.1:1", "ASND_ADMIN_KEY=x", "ASND_TEST_DATABASE=y", "ASND_CONFIG=", NULL};
    struct start start = start_with(NULL, variables, "");
    (void)state;
    assert_string_equal(start.said, "");
    assert_true(start.fine);
}

static void limits_are_inclusive(void **state)
{
    static const char *const fine[] = {"--port=0", "--port=65535", "--utc-offset-minutes=-720", "--utc-offset-minutes=840",
                                       "--head_limit=4096"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        assert_true(start_with(NULL, NULL, fine[i]).fine);
}

static void each_fault_has_its_sentence(void **state)
{
    static char *unknown_near[] = {"ASND_PROT=80", NULL}, *unknown_far[] = {"ASND_COLOUR=red", NULL};
    static char *bad_value[] = {"ASND_PORT=http", NULL}, *empty_value[] = {"ASND_PORT=", NULL},
                *bad_bool[] = {"ASND_LOG_REQUESTS=yes", NULL};
    static char *long_name[] = {"ASND_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=1", NULL};
    static char *missing_file[] = {"ASND_CONFIG=/nowhere/asnd.conf", NULL}, *directory[] = {"ASND_CONFIG=/tmp", NULL};
    static const struct {
        const char *file;
        char *const *variables;
        const char *flags;
        const char *says[3]; /* parts of the sentence */
    } cases[] = {
        {"port = 80\nprot = 81\n", NULL, "", {":2: ", "no setting \"prot\"", "did you mean \"port\"?"}},
        {"colour = red\n", NULL, "", {":1: ", "no setting \"colour\"", "asnd config"}},
        {"port 80\n", NULL, "", {":1: ", "name = value"}},
        {"= 80\n", NULL, "", {":1: ", "no setting \"\""}},
        {"port = 80 # mine\n", NULL, "", {":1: ", "whole number from 0 to 65535", "\"80 # mine\""}},
        {"port = 99999999999999999999\n", NULL, "", {"whole number from 0 to 65535"}},
        {"log_requests = TRUE\n", NULL, "", {"log_requests must be true or false", "\"TRUE\""}},
        {NULL, unknown_near, "", {"environment", "ASND_PROT is no setting", "did you mean ASND_PORT?"}},
        {NULL, unknown_far, "", {"environment", "ASND_COLOUR is no setting", "asnd config"}},
        {NULL, long_name, "", {"environment", "is no setting"}},
        {NULL, bad_value, "", {"environment", "port must be a whole number from 0 to 65535", "\"http\""}},
        {NULL, empty_value, "", {"port must be a whole number"}},
        {NULL, bad_bool, "", {"log_requests must be true or false", "\"yes\""}},
        {NULL, missing_file, "", {"cannot read the settings file /nowhere/asnd.conf", "No such file"}},
        {NULL, directory, "", {"cannot read the settings file /tmp", "directory"}},
        {NULL, NULL, "--port 65536", {"flag", "port must be", "\"65536\""}},
        {NULL, NULL, "--port -1", {"flag", "port must be", "\"-1\""}},
        {NULL, NULL, "--port +80", {"\"+80\""}},
        {NULL, NULL, "--port 80x", {"\"80x\""}},
        {NULL, NULL, "--port=", {"port must be"}},
        {NULL, NULL, "--head-limit 4095", {"head_limit must be a whole number from 4096"}},
        {NULL, NULL, "--log-requests 1", {"log_requests must be true or false"}},
        {NULL, NULL, "serve --port", {"--port needs a value"}},
        {NULL, NULL, "--config", {"--config needs a value"}},
        {NULL, NULL, "--database-url postgres://x:hidden@y/z", {"database_url is a secret", "process list", "ASND_DATABASE_URL"}},
        {NULL, NULL, "--database_url=postgres://x:hidden@y/z", {"database_url is a secret"}},
        {NULL, NULL, "--database-url", {"database_url is a secret"}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct start start = start_with(cases[i].file, cases[i].variables, cases[i].flags);
        size_t len = strlen(start.said);
        assert_false(start.fine);
        assert_true(strncmp(start.said, "asnd: ", 6) == 0);
        assert_ptr_equal(strchr(start.said, '\n'), start.said + len - 1); /* one sentence, one line */
        assert_null(strstr(start.said, "hidden"));
        for (size_t j = 0; j < ARRAY_LEN(cases[i].says) && cases[i].says[j]; j++)
            if (!strstr(start.said, cases[i].says[j]))
                fail_msg("case %zu says %sand not %s", i, start.said, cases[i].says[j]);
    }
}

static void overlong_lines_are_refused_whole(void **state)
{
    static char file[6000];
    struct start start;
    (void)state;
    memset(file, ' ', sizeof file - 1);
    memcpy(file, "listen = x", 10);
    memcpy(file + 4095, "port = 1", 8); /* what a reader in pieces would take for a line */
    start = start_with(file, NULL, "");
    assert_false(start.fine);
    assert_non_null(strstr(start.said, "longer than"));
}

static char *shown(const struct settings *settings)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (settings)
        settings_print(settings, out);
    else
        settings_print_markdown(out);
    fclose(out);
    return text;
}

static void a_number_is_found_by_its_name(void **state)
{
    struct start start = start_with(NULL, NULL, "--document-limit 2048");
    int64_t number = 0;
    (void)state;
    assert_true(start.fine && settings_number(&start.settings, "document_limit", &number));
    assert_int_equal(number, 2048);
    assert_true(settings_number(NULL, "body_limit", &number));
    assert_int_equal(number, 2048);
    assert_false(settings_number(&start.settings, "no_such", &number));
    assert_false(settings_number(&start.settings, "listen", &number));
}

static void print_names_sources_and_hides_secrets(void **state)
{
    static char *variables[] = {"ASND_DATABASE_URL=host=h password=hidden", "ASND_WORKERS=7", NULL};
    struct start start = start_with("loops = 3\n", variables, "--port 99");
    char *text;
    (void)state;
    assert_true(start.fine);
    text = shown(&start.settings);
    assert_null(strstr(text, "hidden"));
    assert_non_null(strstr(text, "(environment)\n# database_url = ********\n"));
    assert_non_null(strstr(text, "(flag)\nport = 99\n"));
    assert_non_null(strstr(text, "(environment)\nworkers = 7\n"));
    assert_non_null(strstr(text, "(file)\nloops = 3\n"));
    assert_non_null(strstr(text, "(default)\nlog_requests = true\n"));
    free(text);
    start = start_with(NULL, NULL, "");
    text = shown(&start.settings);
    assert_non_null(strstr(text, "(default)\ndatabase_url = \n")); /* an empty secret hides nothing */
    free(text);
}

/* Two prints without where each setting came from: the comments. */
static void assert_same_settings(const struct settings *a, const struct settings *b)
{
    char *texts[] = {shown(a), shown(b)}, *rest[] = {texts[0], texts[1]}, *lines[2];
    while ((lines[0] = strsep(&rest[0], "\n")) && (lines[1] = strsep(&rest[1], "\n")))
        if (*lines[0] != '#' || *lines[1] != '#')
            assert_string_equal(lines[0], lines[1]);
    assert_true(!rest[0] && !rest[1]);
    free(texts[0]);
    free(texts[1]);
}

static void what_is_printed_can_be_read_as_a_file(void **state)
{
    static char *variables[] = {"ASND_LISTEN=# :: = é", "ASND_WORKERS=7", "ASND_LOG_REQUESTS=false", "ASND_UTC_OFFSET_MINUTES=-30", NULL};
    struct start first = start_with("loops = 3\n", variables, "--port 99"), second;
    char *text = shown(&first.settings);
    (void)state;
    assert_true(first.fine);
    second = start_with(text, NULL, "");
    assert_string_equal(second.said, "");
    assert_true(second.fine);
    assert_string_equal(second.settings.listen, "# :: = é");
    assert_same_settings(&first.settings, &second.settings);
    free(text);
}

/* Then the file gives the default, and does not fail or say something else. */
static void what_a_line_cannot_hold_is_printed_as_a_comment(void **state)
{
    static char longest[4096], too_long[4096];
    static const struct {
        const char *value;
        bool is_kept;
    } cases[] = {{" /a", false},    {"/a\t", false}, {"/a\nport = 1", false}, {"/a\rport", false},
                 {too_long, false}, {longest, true}, {"/a b", true}};
    (void)state;
    memset(longest, 'x', 4094 - strlen("listen = \n"));
    memset(too_long, 'x', 4094 - strlen("listen = \n") + 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct start start = start_with(NULL, NULL, "");
        char *text;
        start.settings.listen = cases[i].value;
        text = shown(&start.settings);
        start = start_with(text, NULL, "");
        assert_string_equal(start.said, "");
        assert_string_equal(start.settings.listen, cases[i].is_kept ? cases[i].value : "127.0.0.1");
        free(text);
    }
}

static void markdown_has_a_row_for_each_setting(void **state)
{
    static const char *const names[] = {
#define SETTING_TEXT(name, def, secret, help)  #name,
#define SETTING_INT(name, def, min, max, help) #name,
#define SETTING_BOOL(name, def, help)          #name,
#include "asnd/settings.def"
#undef SETTING_TEXT
#undef SETTING_INT
#undef SETTING_BOOL
    };
    char *text = shown(NULL), row[80];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(row, sizeof row, "\n| `%s` | `ASND_", names[i]);
        assert_non_null(strstr(text, row));
    }
    assert_non_null(strstr(text, "| `port` | `ASND_PORT` | 8080 | "));
    assert_non_null(strstr(text, "(secret) |\n"));
    free(text);
}

static void what_needs_a_restart_stays_and_is_named(void **state)
{
    struct start before = start_with("workers = 2\nbody_limit = 2048\ntls_certificate = a.pem\ntls_key = a.key\n", NULL, "");
    struct settings old = before.settings;
    struct start after = start_with("workers = 3\nlisten = ::1\nbody_limit = 4096\ntls_certificate = b.pem\ntls_key = b.key\n", NULL, "");
    struct buf held;
    (void)state;
    buf_init(&held, NULL, 64);
    settings_hold(&after.settings, &old, &held);
    assert_string_equal(buf_cstr(&held), "listen workers");
    assert_int_equal(after.settings.workers, 2);
    assert_string_equal(after.settings.listen, "127.0.0.1");
    assert_int_equal(after.settings.body_limit, 4096);
    assert_string_equal(after.settings.tls_certificate, "b.pem");
    buf_done(&held);
}

/* Another certificate may take its place; HTTP may not. */
static void https_is_not_switched_off_by_a_reload(void **state)
{
    struct start before = start_with("tls_certificate = a.pem\ntls_key = a.key\n", NULL, "");
    struct settings old = before.settings;
    struct start after = start_with("body_limit = 4096\n", NULL, "");
    struct buf held;
    (void)state;
    buf_init(&held, NULL, 64);
    settings_hold(&after.settings, &old, &held);
    assert_string_equal(buf_cstr(&held), "tls_certificate tls_key");
    assert_string_equal(after.settings.tls_certificate, "a.pem");
    buf_done(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_stand_in_the_table),
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(the_file_may_be_named_by_a_flag_anywhere),
        cmocka_unit_test(the_same_setting_twice_takes_the_last),
        cmocka_unit_test(what_is_no_setting_stays_in_order),
        cmocka_unit_test(variables_of_curl_scripts_and_tests_are_let_be),
        cmocka_unit_test(limits_are_inclusive),
        cmocka_unit_test(each_fault_has_its_sentence),
        cmocka_unit_test(overlong_lines_are_refused_whole),
        cmocka_unit_test(print_names_sources_and_hides_secrets),
        cmocka_unit_test(a_number_is_found_by_its_name),
        cmocka_unit_test(what_needs_a_restart_stays_and_is_named),
        cmocka_unit_test(https_is_not_switched_off_by_a_reload),
        cmocka_unit_test(what_is_printed_can_be_read_as_a_file),
        cmocka_unit_test(what_a_line_cannot_hold_is_printed_as_a_comment),
        cmocka_unit_test(markdown_has_a_row_for_each_setting),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
