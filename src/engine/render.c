/* SPDX-License-Identifier: Apache-2.0 */
/* From rows to the reply, written straight into its buffer: never a tree, never in SQL. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "asnd/log.h"
#include "asnd/vault.h"
#include "tally.h"

enum { JSON_TYPE = 114, JSONB_TYPE = 3802 };

static const struct property_spec *member_of(const struct op *op, const char *name)
{
    for (size_t i = 0; op && i < op->contract->n_reply_members; i++)
        if (strcmp(op->contract->reply_members[i].name, name) == 0)
            return &op->contract->reply_members[i];
    return NULL;
}

static void plan_column(struct plan *plan, int i, const struct op *op, const PGresult *res, struct arena *arena)
{
    const char *name = PQfname(res, i);
    struct column *c = &plan->columns[i];
    const struct property_spec *member = member_of(op, name);
    struct buf prefix;
    c->name = arena_strdup(arena, name);
    c->kind = render_kind_of(PQftype(res, i));
    c->is_hidden = name[0] == '_';
    c->scope = member ? member->scope : NULL;
    c->sealed = member ? member->sealed : NULL;
    c->is_sensitive = member && member->is_sensitive;
    c->is_nik = strcmp(name, "nik") == 0;
    c->is_json = PQftype(res, i) == JSON_TYPE || PQftype(res, i) == JSONB_TYPE;
    if (member && op->contract->is_list)
        c->mask = member->mask;
    c->is_plain = !c->is_nik && !c->is_json && !c->sealed;
    buf_init(&prefix, arena, 32);
    buf_putc(&prefix, ',');
    buf_json_string(&prefix, name, strlen(name));
    buf_putc(&prefix, ':');
    c->prefix = prefix.data;
    c->prefix_len = prefix.len;
    if (strcmp(name, "version") == 0)
        plan->version = i;
    else if (strcmp(name, "id") == 0)
        plan->id = i;
    else if (strcmp(name, "_problem") == 0)
        plan->problem = i;
    else if (strcmp(name, "_pointer") == 0)
        plan->pointer = i;
    else if (strcmp(name, "_value") == 0)
        plan->value = i;
    else if (strcmp(name, "_suggestion") == 0)
        plan->suggestion = i;
    else if (strcmp(name, "_en") == 0)
        plan->words[LANG_EN] = i;
    else if (strcmp(name, "_id") == 0)
        plan->words[LANG_ID] = i;
    else if (strcmp(name, "_idle") == 0)
        plan->idle = i;
    else if (strcmp(name, "_mark") == 0)
        plan->mark = i;
    else if (strcmp(name, "nip") == 0)
        plan->nip = i;
    else if (strcmp(name, "_sensitive") == 0)
        plan->sensitive = i;
    else if (strcmp(name, "restricted") == 0)
        plan->restricted = i;
    plan->shows_sensitive |= c->is_sensitive || plan->sensitive >= 0;
    if (c->sealed)
        plan->sealed = i;
    if (c->is_nik)
        plan->nik = i;
}

static void free_arena(void *arena)
{
    arena_free(arena);
}

static struct plan *plan_make(const struct op *op, const PGresult *res, struct arena *arena)
{
    struct plan *plan = arena_zalloc(arena, sizeof *plan);
    plan->n_columns = PQnfields(res);
    plan->columns = arena_zalloc_array(arena, (size_t)plan->n_columns + 1, sizeof *plan->columns);
    plan->version = plan->problem = plan->pointer = plan->value = plan->suggestion = plan->idle = plan->mark = plan->sealed = -1;
    plan->nip = plan->sensitive = plan->id = plan->nik = plan->restricted = -1;
    plan->words[LANG_EN] = plan->words[LANG_ID] = -1;
    for (int i = 0; i < plan->n_columns; i++)
        plan_column(plan, i, op, res, arena);

    return plan;
}

/* Made by whoever comes first and kept with the variant; two loops may race, the loser's copy goes. */
struct plan *plan_of(const struct variant *variant, const struct op *op, const PGresult *res)
{
    struct variant *shared = (struct variant *)(uintptr_t)variant; /* only the plan slot is written, atomically */
    struct plan *plan = atomic_load_explicit(&shared->plan, memory_order_acquire);
    void *expected = NULL;
    struct arena *arena;
    if (plan)
        return plan;
    arena = arena_new(2048);
    plan = plan_make(op, res, arena);
    if (!atomic_compare_exchange_strong(&shared->plan, &expected, plan)) {
        free_arena(arena);
        return expected;
    }
    variant_on_free(variant, free_arena, arena);
    return plan;
}

/* What the row itself says of its refusal, else the problem's title. */
static const char *refusal_words(struct ctx *ctx, const struct plan *plan, const PGresult *res, int row, const struct problem_entry *entry)
{
    int column = plan->words[ctx->lang];
    if (column >= 0 && !PQgetisnull(res, row, column))
        return PQgetvalue(res, row, column);
    return arena_printf(ctx->arena, "%s.", ctx->lang == LANG_EN ? entry->title_en : entry->title_id);
}

/* The fault of one row. Its code may be another than the problem's, which is the first row's. What begins without a slash is a parameter. */
static const struct problem_entry *row_fault(struct ctx *ctx, const struct plan *plan, const PGresult *res, int row)
{
    const struct problem_entry *entry = problem_find(PQgetvalue(res, row, plan->problem));
    const char *place;
    struct fault *fault;
    if (!entry || plan->pointer < 0 || PQgetisnull(res, row, plan->pointer))
        return entry;
    place = PQgetvalue(res, row, plan->pointer);
    fault = fault_add(ctx, *place && *place != '/' ? AT_PARAMETER : AT_BODY, place, entry->code, "%s", "%s",
                      refusal_words(ctx, plan, res, row, entry));
    if (fault && plan->value >= 0 && !PQgetisnull(res, row, plan->value))
        fault->value = arena_strdup(ctx->arena, PQgetvalue(res, row, plan->value));
    if (fault && plan->suggestion >= 0 && !PQgetisnull(res, row, plan->suggestion))
        fault->suggestion = arena_strdup(ctx->arena, PQgetvalue(res, row, plan->suggestion));
    return entry;
}

enum status row_refusal(struct ctx *ctx, const struct plan *plan, const PGresult *res, int row)
{
    const struct problem_entry *first = NULL;
    if (plan->problem < 0 || PQgetisnull(res, row, plan->problem))
        return ST_OK;
    for (int i = row; i < PQntuples(res) && !PQgetisnull(res, i, plan->problem); i++) {
        const struct problem_entry *entry = row_fault(ctx, plan, res, i);
        if (!entry) {
            log_line(LOG_ERROR_, "problem-unknown", LOG_TEXT("code", PQgetvalue(res, i, plan->problem)));
            return fail(ctx, ST_INTERNAL, "internal", "An unexpected refusal.", "Penolakan yang tidak terduga.");
        }
        first = first ? first : entry;
    }
    return fail(ctx, first->status, first->code, "%s", "%s", refusal_words(ctx, plan, res, row, first));
}

/* A word in a text[] literal: {"nip","name"}. */
static bool list_has(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = list; (p = strstr(p, name)) != NULL; p += len)
        if (p > list && strchr("{,\"", p[-1]) && p[len] && strchr("},\"", p[len]))
            return true;
    return false;
}

const char *call_fields(const struct call *call)
{
    return call->op->fields_param >= 0 ? call->in.values[call->op->fields_param].text : NULL;
}

struct projection projection_of(struct ctx *ctx, const struct plan *plan, const struct call *call)
{
    const struct actor *actor = call->actor;
    const char *fields = call_fields(call);
    size_t n = (size_t)plan->n_columns + 1;
    bool *shown = arena_alloc(ctx->arena, n), *masked = arena_alloc(ctx->arena, n), *open = NULL;
    if (plan->restricted >= 0 && !(actor && actor_has_scope(actor, "privacy.restrict")))
        open = arena_alloc(ctx->arena, n);
    for (int i = 0; i < plan->n_columns; i++) {
        const struct column *c = &plan->columns[i];
        masked[i] = c->mask.is_set && !fields;
        shown[i] = !c->is_hidden && (!c->scope || (actor && actor_has_scope(actor, c->scope))) && (!fields || list_has(fields, c->name));
        if (open)
            open[i] = shown[i] && !c->is_sensitive;
    }
    return (struct projection){plan,
                               shown,
                               masked,
                               open,
                               actor ? actor->nip : NULL,
                               ctx->arena,
                               call->engine->cursor_secret,
                               arena_zalloc(ctx->arena, sizeof(bool))};
}

const bool *row_shown(const struct projection *p, const PGresult *res, int row)
{
    int nip = p->plan->nip;
    if (!p->open || *PQgetvalue(res, row, p->plan->restricted) != 't')
        return p->shown;
    return p->own && nip >= 0 && strcmp(PQgetvalue(res, row, nip), p->own) == 0 ? p->shown : p->open;
}

enum status projection_ends(struct ctx *ctx, const struct projection *p)
{
    if (!*p->fails)
        return ST_OK;
    log_line(LOG_ERROR_, "column-key-missing", LOG_TEXT("request_id", ctx->request_id));
    return vault_refuse(ctx);
}

/* The NIK of a record, which must have been sealed for that record. */
static const char *opened_nik(const struct projection *p, const PGresult *res, int row, const char *text, size_t *len,
                              char room[MASKED_MAX])
{
    const struct plan *plan = p->plan;
    _Static_assert(MASKED_MAX > 16, "a NIK fits");
    if (!vault_open_nik(text, *len, room) || (plan->id >= 0 && !vault_is_held_by(text, PQgetvalue(res, row, plan->id))))
        *p->fails = true;
    *len = strlen(room);
    return room;
}

/* A value without what seals it. */
static const char *opened(const struct projection *p, const PGresult *res, int row, int i, char room[MASKED_MAX], size_t *len)
{
    const struct column *c = &p->plan->columns[i];
    const char *text = PQgetvalue(res, row, i);
    struct slice whole;
    *len = (size_t)PQgetlength(res, row, i);
    if (c->is_nik && vault_is_sealed(text, *len))
        return opened_nik(p, res, row, text, len, room);
    if (!c->is_json)
        return text;
    if (!vault_open_text(p->arena, (struct slice){text, *len}, &whole))
        *p->fails = true;
    *len = whole.len;
    return whole.data;
}

static void render_sealed(struct buf *out, const struct projection *p, const char *sort, const char *text)
{
    const char *token = token_seal(p->arena, p->secret, sort, text);
    buf_json_string(out, token, strlen(token));
}

/* As long as it was, up to what there is room for. */
const char *projected(const struct projection *p, const PGresult *res, int row, int i, char room[MASKED_MAX], size_t *ret_len)
{
    const struct mask mask = p->plan->columns[i].mask;
    char ends[MASKED_MAX]; /* what is shown may stand in the room itself */
    size_t len, first = (size_t)mask.first, last = (size_t)mask.last;
    const char *text = opened(p, res, row, i, room, &len);
    *ret_len = len;
    if (!p->masked[i])
        return text;
    if (len > MASKED_MAX)
        len = MASKED_MAX;
    if (first + last < len) {
        memcpy(ends, text, first);
        memcpy(ends + first, text + *ret_len - last, last);
    }
    memset(room, '*', len);
    if (first + last < len) {
        memcpy(room, ends, first);
        memcpy(room + len - last, ends + first, last);
    }
    *ret_len = len;
    return room;
}

/* This runs for every value of every reply: most are shown as they are, and whether one is null is asked only where it can be. */
void render_row(struct buf *out, const struct projection *p, const PGresult *res, int row)
{
    const bool *shown = row_shown(p, res, row);
    size_t start = out->len;
    for (int i = 0; i < p->plan->n_columns; i++) {
        const struct column *c = &p->plan->columns[i];
        char room[MASKED_MAX];
        const char *text;
        size_t len;
        if (!shown[i])
            continue;
        buf_put(out, c->prefix, c->prefix_len);
        if (c->is_plain && !p->masked[i]) {
            text = PQgetvalue(res, row, i);
            len = (size_t)PQgetlength(res, row, i);
        } else {
            text = projected(p, res, row, i, room, &len);
        }
        if (len == 0 && PQgetisnull(res, row, i))
            BUF_LIT(out, "null");
        else if (c->sealed)
            render_sealed(out, p, c->sealed, text);
        else
            render_json(out, c->kind, text, len);
    }
    if (out->len == start)
        buf_putc(out, ',');
    out->data[start] = '{'; /* in the place of the first comma */
    buf_putc(out, '}');
}

void render_csv_head(struct buf *out, const struct projection *p)
{
    bool first = true;
    for (int i = 0; i < p->plan->n_columns; i++) {
        if (!p->shown[i])
            continue;
        if (!first)
            buf_putc(out, ',');
        first = false;
        buf_puts(out, p->plan->columns[i].name);
    }
    BUF_LIT(out, "\r\n");
}

/* Text gets the apostrophe that keeps a spreadsheet from running it; numbers are left alone. */
static void csv_text(struct buf *out, struct buf *cell, const struct column *c, const char *text, size_t len)
{
    cell->len = 0;
    render_plain(cell, c->kind, text, len);
    if (c->kind == RENDER_STRING && csv_is_formula(cell->data, cell->len)) {
        buf_putc(cell, '\'');
        memmove(cell->data + 1, cell->data, cell->len - 1);
        cell->data[0] = '\'';
    }
    buf_csv_field(out, cell->data ? cell->data : "", cell->len, ',');
}

void render_csv_row(struct buf *out, const struct projection *p, const PGresult *res, int row)
{
    const bool *shown = row_shown(p, res, row);
    struct buf cell;
    bool first = true;
    char room[MASKED_MAX];
    size_t len;
    buf_init(&cell, NULL, 64);
    for (int i = 0; i < p->plan->n_columns; i++) {
        if (!p->shown[i])
            continue;
        if (!first)
            buf_putc(out, ',');
        first = false;
        if (!shown[i] || PQgetisnull(res, row, i))
            continue;
        const char *text = projected(p, res, row, i, room, &len);
        csv_text(out, &cell, &p->plan->columns[i], text, len);
    }
    BUF_LIT(out, "\r\n");
    buf_done(&cell);
}

/* Strong: the version of the row, and a hash of these very bytes (so that other fields, a renamed unit beside the row, or another caller's
 * view have another tag). If-Match reads the version alone. */
static const char *etag_of(struct ctx *ctx, const struct plan *plan, const PGresult *res, const struct buf *body, uint64_t seed)
{
    XXH64_canonical_t hash;
    char hex[ETAG_HASH_DIGITS + 1];
    _Static_assert(sizeof hex == 2 * sizeof hash + 1, "two digits a byte");
    XXH64_canonicalFromHash(&hash, XXH3_64bits_withSeed(body->data, body->len, seed));
    hex_encode(hash.digest, sizeof hash, hex);
    if (plan->version >= 0 && !PQgetisnull(res, 0, plan->version))
        return arena_printf(ctx->arena, "\"%s-%s\"", PQgetvalue(res, 0, plan->version), hex);
    return arena_printf(ctx->arena, "\"%s\"", hex);
}

/* For the first row as JSON, where little is escaped: a long text is not copied about while the buffer grows. */
static size_t row_room(const PGresult *res)
{
    size_t room = 2048;
    for (int i = 0; i < PQnfields(res) && PQntuples(res) > 0; i++)
        room += (size_t)PQgetlength(res, 0, i);
    return room;
}

/* /v1/asn/{nip} filled from the row. */
static const char *location_of(struct ctx *ctx, const char *template, const PGresult *res)
{
    struct buf out;
    buf_init(&out, ctx->arena, 96);
    while (*template) {
        const char *open = strchr(template, '{');
        const char *close = open ? strchr(open, '}') : NULL;
        int column;
        if (!close) {
            buf_puts(&out, template);
            break;
        }
        buf_put(&out, template, (size_t)(open - template));
        column = PQfnumber(res, arena_strndup(ctx->arena, open + 1, (size_t)(close - open - 1)));
        if (column >= 0)
            buf_puts(&out, PQgetvalue(res, 0, column));
        template = close + 1;
    }
    return buf_cstr(&out);
}

static const char *next_cursor(struct ctx *ctx, const struct call *call, const PGresult *res, int last)
{
    const struct sort_order *sort = &call->op->info->sorts[call->page.sort];
    const char *keys[SORT_KEYS_MAX];
    for (size_t i = 0; i < sort->n_keys; i++) {
        int column = PQfnumber(res, sort->keys[i].column);
        keys[i] = column < 0 ? "" : PQgetvalue(res, last, column);
    }
    return page_seal_cursor(ctx->arena, call->engine->cursor_secret, call->op->contract->id, page_filters(ctx->arena, call),
                            call->page.sort, keys, sort->n_keys);
}

/* RFC 8288: the same target with the cursor put in its place. */
static const char *next_link(struct ctx *ctx, const struct call *call, const char *cursor)
{
    struct slice path = request_path(call->rq), query = request_query(call->rq);
    struct buf out;
    buf_init(&out, ctx->arena, 256);
    buf_putc(&out, '<');
    buf_put(&out, path.data, path.len);
    buf_putc(&out, '?');
    for (size_t at = 0; query.data && at < query.len;) {
        const char *part = query.data + at;
        const char *end = memchr(part, '&', query.len - at);
        size_t len = end ? (size_t)(end - part) : query.len - at;
        if (len && !(len >= 7 && memcmp(part, "cursor=", 7) == 0)) {
            buf_put(&out, part, len);
            buf_putc(&out, '&');
        }
        at += len + 1;
    }
    buf_printf(&out, "cursor=%s>; rel=\"next\"", cursor);
    return buf_cstr(&out);
}

/* What the rows show of what is sensitive; the row behind the page is not shown. */
static const struct reading *reading_of(struct ctx *ctx, const struct call *call, const struct projection *p, const PGresult *res)
{
    int n = PQntuples(res);
    struct tally *tally;
    if (!p->plan->shows_sensitive)
        return NULL;
    if (call->op->contract->is_list && call->op->info && call->op->info->has_page && n > call->page.limit)
        n = (int)call->page.limit;
    tally = tally_new(ctx->arena, p);
    for (int row = 0; row < n; row++)
        tally_row(tally, res, row);
    return tally_take(ctx, call, tally);
}

static void render_list(struct ctx *ctx, const struct call *call, const struct projection *p, const PGresult *res, struct buf *body,
                        const char **ret_link)
{
    int n = PQntuples(res);
    bool more = call->op->info->has_page && n > call->page.limit;
    const char *cursor = NULL;
    if (more)
        n = (int)call->page.limit;
    BUF_LIT(body, "{\"data\":[");
    for (int row = 0; row < n; row++) {
        if (row)
            buf_putc(body, ',');
        render_row(body, p, res, row);
    }
    BUF_LIT(body, "],\"page\":{\"next\":");
    if (more) {
        cursor = next_cursor(ctx, call, res, n - 1);
        buf_json_string(body, cursor, strlen(cursor));
        *ret_link = next_link(ctx, call, cursor);
    } else {
        BUF_LIT(body, "null");
    }
    if (call->count_text)
        buf_printf(body, ",\"count\":%s", call->count_text);
    BUF_LIT(body, "}}");
}

enum status render_reply(struct ctx *ctx, const struct call *call, const struct plan *plan, const PGresult *res, struct outcome *out,
                         const char **ret_link)
{
    const struct operation *operation = call->op->contract;
    struct projection p = projection_of(ctx, plan, call);
    struct buf *body = arena_zalloc(ctx->arena, sizeof *body);
    int n = PQntuples(res);
    enum status st = n ? row_refusal(ctx, plan, res, 0) : ST_OK;
    if (st != ST_OK)
        return st;
    if (!operation->is_list && n == 0)
        return fail(ctx, ST_NOT_FOUND, "not-found", "There is nothing here, or it is not yours to see.",
                    "Tidak ada, atau bukan hak Anda untuk melihatnya.");
    buf_init(body, ctx->arena, operation->is_list ? (size_t)n * 1024 + 256 : row_room(res));
    if (operation->is_list) {
        render_list(ctx, call, &p, res, body, ret_link);
    } else if (operation->n_reply_types) {
        render_row(body, &p, res, 0);
        out->etag = etag_of(ctx, plan, res, body, call->engine->tag_seed);
    }
    st = projection_ends(ctx, &p);
    if (st != ST_OK)
        return st;
    if (operation->location)
        out->location = location_of(ctx, operation->location, res);
    out->http_status = operation->success;
    out->content_type = "application/json";
    out->body = body;
    out->reading = operation->n_reply_types ? reading_of(ctx, call, &p, res) : NULL;
    return ST_OK;
}
