/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests of this room share: cmocka with the headers that it wants, and what a function writes to standard error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* Our own fail (asnd/status.h) words a problem; cmocka's two words for it become one. */
#undef fail
#undef fail_msg
#define fail_msg(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asnd/macros.h"

/* Standard error goes to a file of its own between begin and end; what came is a C string, to be freed. */
static inline int stderr_begin(FILE **ret_file)
{
    int saved = dup(STDERR_FILENO);
    *ret_file = tmpfile();
    assert_non_null(*ret_file);
    assert_true(saved >= 0 && dup2(fileno(*ret_file), STDERR_FILENO) >= 0);
    return saved;
}

static inline char *stderr_end(FILE *file, int saved)
{
    long size;
    char *text;
    dup2(saved, STDERR_FILENO);
    close(saved);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

/* Runs fn in a child whose standard error is thrown away; the signal that ended it, or 0. */
static inline int signal_of(void (*fn)(void))
{
    int status = 0;
    pid_t pid;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        signal(SIGABRT, SIG_DFL);
        fn();
        _exit(0);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
