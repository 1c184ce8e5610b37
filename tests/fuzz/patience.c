/* SPDX-License-Identifier: Apache-2.0 */
/* How long one input may take: 10 s of a processor. libFuzzer's own limit is by the clock, by which an input that takes a moment takes as long as
 * it pleases whoever else is on the machine. The linker puts this around each target (--wrap). */
#include "fuzz.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 10

int __real_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void lose_patience(int signal)
{
    static const char words[] = "ERROR: it must hold that an input takes less than 10 s\n";
    (void)signal;
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0)
        _exit(1);
    abort(); /* libFuzzer writes the input down */
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    signal(SIGPROF, lose_patience);
    return 0;
}

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct itimerval patience = {.it_value = {.tv_sec = PATIENCE_S}};
    setitimer(ITIMER_PROF, &patience, NULL);
    return __real_LLVMFuzzerTestOneInput(data, size);
}
