/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the binary carries: made by cmake/embed.cmake. Lists end with a NULL name. */
struct embedded_file {
    const char *name;
    const char *begin;
    const char *end;
};
extern const struct embedded_file embedded_contract;
extern const struct embedded_file embedded_access;
extern const struct embedded_file embedded_sql[];
extern const struct embedded_file embedded_migrations[];
