/* SPDX-License-Identifier: Apache-2.0 */
/* The chain as it stands in the database, and sealing by hand. */
#include "asnd/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/arena.h"
#include "asnd/buf.h"

#define BLOCK_TEXT "100000"

struct run {
    struct audit_check *check;
    struct buf prefix;
    int64_t settled;
    int column[14];
};

enum { SEQ, DIGEST, ENTRY, ID, AT, ASN_ID, ACTOR, OPERATION, NUMBER, FIRST, LAST, SETTLED, SEALED_AT, HASHES };

static const char *text(const struct run *run, const PGresult *res, int row, int what)
{
    int column = run->column[what];
    return PQgetisnull(res, row, column) ? NULL : PQgetvalue(res, row, column);
}

static int64_t number(const struct run *run, const PGresult *res, int row, int what)
{
    const char *digits = text(run, res, row, what);
    return digits ? strtoll(digits, NULL, 10) : 0;
}

/* `2026-11-29 06:22:21.12+00`, as the session tells it, into `2026-11-29T06:22:21.120000Z`. */
static void put_instant(struct buf *out, const char *at)
{
    size_t seconds = strcspn(at, "+."), n = at[seconds] == '.' ? strspn(at + seconds + 1, "0123456789") : 0;
    buf_printf(out, "%.10sT%.*s.%.*s%.*sZ", at, (int)seconds - 11, at + 11, (int)n, at + seconds + 1, 6 - (int)n, "000000");
}

/* What the columns say that entries are found by, as the content must begin. */
static void put_prefix(struct run *run, const PGresult *res, int row)
{
    const char *person = text(run, res, row, ASN_ID), *actor = text(run, res, row, ACTOR), *operation = text(run, res, row, OPERATION);
    struct buf *out = &run->prefix;
    out->len = 0;
    buf_printf(out, "{\"id\":%s,\"at\":\"", text(run, res, row, ID));
    put_instant(out, text(run, res, row, AT));
    BUF_LIT(out, "\",\"person\":");
    if (person)
        buf_printf(out, "\"%s\"", person);
    else
        BUF_LIT(out, "null");
    BUF_LIT(out, ",\"actor\":");
    buf_json_string(out, actor, strlen(actor));
    BUF_LIT(out, ",\"operation\":");
    buf_json_string(out, operation, strlen(operation));
}

static void take(struct run *run, const PGresult *res, int row)
{
    const char *hashes = text(run, res, row, HASHES); /* previous and own, with a blank between */
    char previous[AUDIT_HEX_SIZE] = "";
    struct audit_seal seal = {0};
    struct audit_place place = {.seq = number(run, res, row, SEQ),
                                .digest = text(run, res, row, DIGEST) + 2, /* behind \x */
                                .content = text(run, res, row, ENTRY)};
    if (place.content) {
        place.content_len = (size_t)PQgetlength(res, row, run->column[ENTRY]);
        put_prefix(run, res, row);
        place.prefix = run->prefix.data;
        place.prefix_len = run->prefix.len;
    }
    if (hashes) {
        snprintf(previous, sizeof previous, "%s", hashes);
        seal = (struct audit_seal){.number = number(run, res, row, NUMBER),
                                   .first = number(run, res, row, FIRST),
                                   .last = number(run, res, row, LAST),
                                   .settled = number(run, res, row, SETTLED),
                                   .at = text(run, res, row, SEALED_AT),
                                   .previous = previous,
                                   .hash = hashes + AUDIT_HEX_SIZE};
        run->settled = seal.settled;
        place.seal = &seal;
    }
    audit_check_place(run->check, &place);
}

static enum status rows(struct ctx *ctx UNUSED, void *cls, const PGresult *chunk)
{
    static const char *const names[] = {"seq",       "digest", "entry", "id",   "at",      "asn_id",    "actor",
                                        "operation", "number", "first", "last", "settled", "sealed_at", "hashes"};
    struct run *run = cls;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        run->column[i] = PQfnumber(chunk, names[i]);
    for (int row = 0; row < PQntuples(chunk); row++)
        take(run, chunk, row);
    return ST_OK;
}

/* What stands outside of the chain: not sealed yet, or put in where nothing can have come any more. */
static enum status look_outside(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const struct run *run, FILE *out,
                                struct audit_report *report)
{
    PGresult *res;
    enum status st = db_query(ctx, conn, set, "audit.outside", &res, "settled", arena_printf(ctx->arena, "%" PRId64, run->settled), NULL);
    if (st != ST_OK)
        return st;
    int64_t inserted = strtoll(PQgetvalue(res, 0, 0), NULL, 10), lost = strtoll(PQgetvalue(res, 0, 2), NULL, 10);
    report->unsealed = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
    if (inserted)
        fprintf(out, "put in: %" PRId64 " entries up to id %" PRId64 " are in no seal, though all up to there were sealed\n", inserted,
                run->settled);
    if (lost)
        fprintf(out, "removed: %" PRId64 " seals have no entry at their end\n", lost);
    report->faults += inserted + lost;
    return ST_OK;
}

enum status audit_verify(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, FILE *out, const struct audit_known *known,
                         struct audit_report *ret)
{
    const struct variant *chain = statement_variant(sql_set_find(set, "audit.chain"), 0, 0, VARIANT_PLAIN);
    struct run run = {.check = audit_check_new(out, known)};
    enum status st;
    buf_init(&run.prefix, NULL, 512);
    st = db_stream(ctx, conn, chain, NULL, rows, &run);
    audit_check_end(run.check, ret);
    buf_done(&run.prefix);
    return st == ST_OK ? look_outside(ctx, conn, set, &run, out, ret) : st;
}

enum status audit_seal_all(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, int64_t *ret)
{
    int64_t n;
    *ret = 0;
    do {
        PGresult *res;
        enum status st = db_query(ctx, conn, set, "audit.seal", &res, "most", BLOCK_TEXT, NULL);
        if (st != ST_OK)
            return st;
        n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
        *ret += n;
    } while (n > 0);
    return ST_OK;
}
