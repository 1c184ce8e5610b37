/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The chain of the audit, held against itself: from the database, or from a file without one. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "asnd/db.h"
#include "asnd/macros.h"
#include "asnd/status.h"

#define AUDIT_HASH_LEN 32
#define AUDIT_HEX_SIZE (2 * AUDIT_HASH_LEN + 1)

struct audit_seal {
    int64_t number, first, last, settled;
    const char *at;              /* 2026-11-29T06:22:21.123456Z */
    const char *previous, *hash; /* hex */
};

/* One place of the chain. */
struct audit_place {
    int64_t seq;
    const char *digest;  /* hex */
    const char *content; /* NULL: the entry is gone */
    size_t content_len;
    const char *prefix; /* what the content must begin with; NULL: anything */
    size_t prefix_len;
    const struct audit_seal *seal; /* of the block that ends here, or NULL */
};

struct audit_report {
    int64_t entries, seals, faults;
    int64_t unsealed;             /* entries that no seal covers yet */
    int64_t redacted, redactions; /* entries that lost their values, and entries that tell of it */
    int64_t last_number;
    char last_hash[AUDIT_HEX_SIZE];
};

/* A seal as it was published: its number and its hash. */
struct audit_known {
    int64_t number; /* 0: none is known */
    char hash[AUDIT_HEX_SIZE];
};
/* NUMBER:HASH; false if it is not that. */
bool audit_known_parse(const char *text, struct audit_known *ret);

/* The check itself, fed place by place in the order of the chain. Faults go to `out`, one line each. */
struct audit_check;
struct audit_check *audit_check_new(FILE *out, const struct audit_known *known);
void audit_check_place(struct audit_check *check, const struct audit_place *place);
/* What can only be told at the end; frees the check. */
void audit_check_end(struct audit_check *check, struct audit_report *ret);

/* All of it: an export of GET /v1/audit/chain as NDJSON (NULL: standard input would be `stdin`), or the database. False: the file cannot be read as that. */
NODISCARD bool audit_verify_file(FILE *in, FILE *out, const struct audit_known *known, struct audit_report *ret);
NODISCARD enum status audit_verify(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, FILE *out,
                                   const struct audit_known *known, struct audit_report *ret);
struct params;
/* The check of listAuditEntries. */
enum status check_list_audit_entries(struct ctx *ctx, struct params *in);

/* Seals all that is committed; how many entries. */
NODISCARD enum status audit_seal_all(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, int64_t *ret);
