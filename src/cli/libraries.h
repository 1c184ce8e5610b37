/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The libraries of the process, apart from our own headers: some of theirs use our words. */

struct library {
    const char *name;
    const char *(*version)(void); /* the one that is loaded */
    const char *least;            /* the oldest without `fault`; NULL: none that matters is known, or see series_least */
    const char *fault;
    const char *(*series_least)(void); /* of one that is mended in several series at once, or NULL */
};
extern const struct library libraries[]; /* ended by a NULL name */
