/* SPDX-License-Identifier: Apache-2.0 */
/* Whether every document has its content, every content a document, and all bytes are what they were. */
#include "asnd/document.h"

#include <stdlib.h>

#include "asnd/store.h"

struct check {
    FILE *out;
    struct document_report *report;
};

static void tell(struct check *check, const char *what, const char *id, const char *fault)
{
    fprintf(check->out, "%s %s: %s\n", what, id, fault);
    check->report->faults++;
}

static void tell_content(void *cls, const char *id, const char *fault)
{
    tell(cls, "content", id, fault);
}

static enum status tell_rows(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, const char *name, const char *what,
                             struct check *check)
{
    PGresult *res;
    enum status st = db_query(ctx, conn, set, name, &res, NULL);
    for (int i = 0; st == ST_OK && i < PQntuples(res); i++)
        tell(check, what, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1));
    return st;
}

/* Locked first, then asked again: an upload of the same bytes may have taken one of them up. */
struct removal {
    const struct sql_set *set;
    int64_t removed;
};

static enum status remove_orphans(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    struct removal *removal = cls;
    PGresult *res;
    enum status st = db_query(ctx, txn, removal->set, "documents.lockOrphans", &res, NULL);
    if (st == ST_OK)
        st = db_query(ctx, txn, removal->set, "documents.removeOrphans", &res, NULL);
    if (st == ST_OK)
        removal->removed = PQntuples(res);
    return st == ST_OK ? store_sweep(ctx, txn, removal->set) : st;
}

enum status documents_check(struct ctx *ctx, struct db_conn *conn, const struct sql_set *set, bool with_removal, FILE *out,
                            struct document_report *ret)
{
    struct check check = {out, ret};
    struct removal removal = {.set = set};
    PGresult *res;
    enum status st = with_removal ? db_transaction(ctx, conn, false, remove_orphans, &removal) : ST_OK;
    *ret = (struct document_report){.removed = removal.removed};
    if (st == ST_OK)
        st = db_query(ctx, conn, set, "documents.count", &res, NULL);
    if (st != ST_OK)
        return st;
    ret->documents = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    ret->erased = strtoll(PQgetvalue(res, 0, 1), NULL, 10);
    st = tell_rows(ctx, conn, set, "documents.missing", "document", &check);
    if (st == ST_OK)
        st = tell_rows(ctx, conn, set, "documents.orphans", "content", &check);
    return st == ST_OK ? store_verify(ctx, conn, set, tell_content, &check, &ret->contents, &ret->bytes) : st;
}
