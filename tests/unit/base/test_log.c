/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: always one JSON object a line, whatever is in them and however many threads write. */
#include "testing.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>

#include "asnd/date.h"
#include "asnd/log.h"

/* What log_write leaves on standard error. */
static char *logged(enum log_level level, const char *event, const struct log_field *fields, int n)
{
    FILE *file;
    int saved = stderr_begin(&file);
    log_write(level, event, fields, n);
    return stderr_end(file, saved);
}

static json_t *parsed(const char *line)
{
    size_t len = strlen(line);
    json_t *root;
    assert_true(len > 1 && line[len - 1] == '\n');
    assert_ptr_equal(strchr(line, '\n'), line + len - 1);
    root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static void a_line_names_time_level_event_and_fields(void **state)
{
    const struct log_field fields[] = {LOG_TEXT("address", "::1"), LOG_NUM("port", -8080), LOG_FLAG("tls", false),
                                       LOG_US("ms", 1234567),      LOG_TEXT("none", NULL), LOG_FLAG("on", true)};
    char *line = logged(LOG_WARNING_, "listening", fields, (int)ARRAY_LEN(fields));
    json_t *root = parsed(line);
    const char *time = json_string_value(json_object_get(root, "time"));
    (void)state;
    assert_true(instant_is_valid(time, strlen(time)));
    assert_string_equal(json_string_value(json_object_get(root, "level")), "warning");
    assert_string_equal(json_string_value(json_object_get(root, "event")), "listening");
    assert_string_equal(json_string_value(json_object_get(root, "address")), "::1");
    assert_int_equal(json_integer_value(json_object_get(root, "port")), -8080);
    assert_true(json_is_false(json_object_get(root, "tls")) && json_is_true(json_object_get(root, "on")));
    assert_non_null(strstr(line, "\"ms\":1234.567"));
    assert_int_equal(json_object_size(root), 8); /* the NULL text is left out */
    json_decref(root);
    free(line);
}

static void durations_are_numbers_of_three_decimals(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {{0, "\"ms\":0.000}"},    {1, "\"ms\":0.001}"},   {999, "\"ms\":0.999}"},
                 {1000, "\"ms\":1.000}"}, {-1, "\"ms\":-0.001}"}, {-1500, "\"ms\":-1.500}"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *line = logged(LOG_INFO_, "x", &LOG_US("ms", cases[i].us), 1);
        json_decref(parsed(line));
        assert_non_null(strstr(line, cases[i].text));
        free(line);
    }
}

static void hostile_text_cannot_leave_its_string_or_line(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"\",\"level\":\"error", "\",\"level\":\"error"},
        {"a\n{\"event\":\"forged\"}\n", "a\n{\"event\":\"forged\"}\n"},
        {"\x1b[31mred\x1b[0m\r", "\x1b[31mred\x1b[0m\r"},
        {"bad \xff\xc0\xaf", "bad \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"cut \xe6\xbc", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"100%s%n\\", "100%s%n\\"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *line = logged(LOG_ERROR_, cases[i].in, &LOG_TEXT("text", cases[i].in), 1);
        json_t *root = parsed(line);
        assert_string_equal(json_string_value(json_object_get(root, "text")), cases[i].out);
        assert_string_equal(json_string_value(json_object_get(root, "event")), cases[i].out);
        assert_string_equal(json_string_value(json_object_get(root, "level")), "error");
        json_decref(root);
        free(line);
    }
}

static void long_text_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t lead = 0; lead < 4; lead++) { /* the cut falls on each byte of a character of three */
        char text[3200], *line;
        const char *kept;
        json_t *root;
        size_t len;
        memset(text, 'a', lead);
        for (len = lead; len + 3 < sizeof text; len += 3)
            memcpy(text + len, "漢", 3);
        text[len] = '\0';
        line = logged(LOG_INFO_, "x", &LOG_TEXT("text", text), 1);
        root = parsed(line);
        kept = json_string_value(json_object_get(root, "text"));
        assert_in_range(strlen(kept), 1000, 1003);
        assert_null(strstr(kept, "\xef\xbf\xbd"));
        assert_string_equal(kept + strlen(kept) - 3, "…");
        assert_memory_equal(kept, text, strlen(kept) - 3);
        json_decref(root);
        free(line);
    }
}

static void text_just_within_the_limit_is_whole(void **state)
{
    char text[1001] = {0}, *line;
    json_t *root;
    (void)state;
    memset(text, 'a', 1000);
    line = logged(LOG_INFO_, "x", &LOG_TEXT("text", text), 1);
    root = parsed(line);
    assert_string_equal(json_string_value(json_object_get(root, "text")), text);
    json_decref(root);
    free(line);
}

static void levels_below_the_least_are_silent(void **state)
{
    enum log_level level = LOG_ERROR_;
    char *line;
    (void)state;
    assert_true(log_level_parse("warning", &level));
    assert_int_equal(level, LOG_WARNING_);
    assert_false(log_level_parse("Warning", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_WARNING_);
    log_set_level(LOG_WARNING_);
    assert_true(log_enabled(LOG_WARNING_) && log_enabled(LOG_ERROR_));
    assert_false(log_enabled(LOG_INFO_));
    line = logged(LOG_INFO_, "x", NULL, 0);
    assert_string_equal(line, "");
    free(line);
    log_set_level(LOG_DEBUG_);
    line = logged(LOG_DEBUG_, "x", NULL, 0);
    json_decref(parsed(line));
    free(line);
    log_set_level(LOG_INFO_);
}

static void a_log_line_leaves_errno_alone(void **state)
{
    int saved = dup(STDERR_FILENO), after;
    (void)state;
    close(STDERR_FILENO); /* nobody listens: write fails */
    errno = ENOENT;
    log_line(LOG_INFO_, "x", LOG_NUM("n", 1));
    after = errno;
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(after, ENOENT);
}

#define THREADS 4
#define LINES   200

static void *write_many(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_line(LOG_INFO_, "many", LOG_NUM("thread", (intptr_t)arg), LOG_NUM("i", i),
                 LOG_TEXT("padding", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
    return NULL;
}

static void lines_of_several_threads_never_mix(void **state)
{
    pthread_t threads[THREADS];
    int next[THREADS] = {0}, pipes[2], saved = dup(STDERR_FILENO);
    char line[1024];
    FILE *in;
    (void)state;
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_many, (void *)i);
    in = fdopen(pipes[0], "r");
    for (int n = 0; n < THREADS * LINES; n++) {
        json_t *root;
        int64_t thread;
        assert_non_null(fgets(line, sizeof line, in));
        root = parsed(line);
        thread = json_integer_value(json_object_get(root, "thread"));
        assert_in_range(thread, 0, THREADS - 1);
        assert_int_equal(json_integer_value(json_object_get(root, "i")), next[thread]++);
        json_decref(root);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipes[1]);
    fclose(in);
}

static void no_memory_is_said_and_ends_the_process(void **state)
{
    FILE *file;
    char *line;
    int status, saved = stderr_begin(&file);
    pid_t pid = fork();
    json_t *root;
    (void)state;
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        die_no_memory();
    }
    waitpid(pid, &status, 0);
    line = stderr_end(file, saved);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    root = parsed(line);
    assert_string_equal(json_string_value(json_object_get(root, "event")), "out of memory");
    json_decref(root);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_time_level_event_and_fields),
        cmocka_unit_test(durations_are_numbers_of_three_decimals),
        cmocka_unit_test(hostile_text_cannot_leave_its_string_or_line),
        cmocka_unit_test(long_text_is_cut_between_characters),
        cmocka_unit_test(text_just_within_the_limit_is_whole),
        cmocka_unit_test(levels_below_the_least_are_silent),
        cmocka_unit_test(a_log_line_leaves_errno_alone),
        cmocka_unit_test(lines_of_several_threads_never_mix),
        cmocka_unit_test(no_memory_is_said_and_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
