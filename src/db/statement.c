/* SPDX-License-Identifier: Apache-2.0 */
/* The set of named statements and their variants: one piece of SQL for each combination of optional parts, sort order and shape that
 * was asked for. Looking one up takes no lock; making one takes the set's mutex. */
#include "statement.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"
#include "asnd/log.h"

struct variant_entry {
    struct variant variant;
    uint64_t key;
    struct variant_entry *next; /* written before the entry is published */
};

struct sql_set {
    struct arena *arena; /* used by the parser, then only with `making` held */
    pthread_mutex_t making;
    struct statement **statements; /* by name, once parsed */
    size_t n, cap;
};

static atomic_uint variants_made;

/* ── the set ── */

static void set_add(void *cls, struct statement *statement, int line UNUSED)
{
    struct sql_set *set = cls;

    if (set->n == set->cap) {
        set->cap = set->cap ? set->cap * 2 : 64;
        set->statements = realloc(set->statements, set->cap * sizeof(struct statement *));
        if (set->statements == NULL)
            die_no_memory();
    }
    statement->set = set;
    set->statements[set->n++] = statement;
}

static int by_name(const void *a, const void *b)
{
    const struct statement *const *left = a, *const *right = b;

    return strcmp((*left)->info.name, (*right)->info.name);
}

static bool names_are_unique(const struct sql_set *set, FILE *err)
{
    bool is_ok = true;

    for (size_t i = 1; i < set->n; i++) {
        const struct statement_info *a = &set->statements[i - 1]->info, *b = &set->statements[i]->info;
        if (strcmp(a->name, b->name) == 0) {
            fprintf(err, "%s: %s is also the name of the statement at %s\n", b->place, b->name, a->place);
            is_ok = false;
        }
    }
    return is_ok;
}

struct sql_set *sql_set_parse(const struct sql_file *files, size_t n_files, FILE *err)
{
    struct sql_set *set = calloc(1, sizeof *set);
    bool is_ok = true;

    if (set == NULL)
        die_no_memory();
    set->arena = arena_new(64 * 1024);
    pthread_mutex_init(&set->making, NULL);
    for (size_t i = 0; i < n_files; i++)
        is_ok = sqlfile_parse(set->arena, &files[i], err, set_add, set) && is_ok;
    if (set->n > 0)
        qsort(set->statements, set->n, sizeof(struct statement *), by_name);
    is_ok = names_are_unique(set, err) && is_ok;
    if (!is_ok) {
        sql_set_free(set);
        return NULL;
    }
    return set;
}

void sql_set_free(struct sql_set *set)
{
    if (set == NULL)
        return;
    pthread_mutex_destroy(&set->making);
    free(set->statements);
    arena_free(set->arena);
    free(set);
}

const struct statement *sql_set_find(const struct sql_set *set, const char *name)
{
    size_t low = 0, high = set->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(name, set->statements[mid]->info.name);
        if (order == 0)
            return set->statements[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

void sql_set_each(const struct sql_set *set, void (*fn)(void *cls, const struct statement *statement), void *cls)
{
    for (size_t i = 0; i < set->n; i++)
        fn(cls, set->statements[i]);
}

const struct statement_info *statement_info(const struct statement *statement)
{
    return &statement->info;
}

/* ── variants ── */

struct render {
    const struct statement *statement;
    unsigned options;
    size_t sort;
    enum variant_shape shape;
    bool has_usual_limit;
    struct buf sql;
    const char **binds;
    size_t n_binds, cap;
};

/* $n of a name; the same name shares one. */
static void put_bind(struct render *r, struct slice name)
{
    size_t i = 0;

    while (i < r->n_binds && !slice_is(name, r->binds[i]))
        i++;
    if (i == r->n_binds) {
        if (r->n_binds == r->cap) {
            r->cap = r->cap ? r->cap * 2 : 16;
            r->binds = realloc(r->binds, r->cap * sizeof *r->binds);
            if (r->binds == NULL)
                die_no_memory();
        }
        r->binds[r->n_binds++] = arena_strndup(r->statement->set->arena, name.data, name.len);
    }
    buf_printf(&r->sql, "$%zu", i + 1);
}

static void put_expression(struct render *r, const struct pieces *pieces)
{
    for (size_t i = 0; i < pieces->n; i++) {
        if (pieces->items[i].kind == PIECE_BIND)
            put_bind(r, pieces->items[i].text);
        else
            buf_put(&r->sql, pieces->items[i].text.data, pieces->items[i].text.len);
    }
}

/* `::date` when the key ends with a cast to a plain type, else empty. */
static struct slice type_of_key(const struct pieces *key)
{
    struct slice last = key->n > 0 && key->items[key->n - 1].kind == PIECE_TEXT ? key->items[key->n - 1].text : (struct slice){NULL, 0};
    size_t at = last.len;

    while (at > 0 && (last.data[at - 1] == '_' || (last.data[at - 1] >= 'a' && last.data[at - 1] <= 'z')))
        at--;
    if (at < 2 || at == last.len || last.data[at - 1] != ':' || last.data[at - 2] != ':')
        return (struct slice){NULL, 0};
    return (struct slice){last.data + at - 2, last.len - at + 2};
}

/* Where the type is known the cursor comes by a sub-select: the planner then has nothing to estimate by, so that planning for these very values never
 * promises more than the plan for any, and is not done for each page. */
static void put_cursor_key(struct render *r, const struct pieces *key, size_t i)
{
    char name[16];
    int len = snprintf(name, sizeof name, BIND_CURSOR "%zu", i);
    struct slice type = type_of_key(key);

    if (type.len > 0)
        BUF_LIT(&r->sql, "(SELECT ");
    put_bind(r, (struct slice){name, (size_t)len});
    if (type.len > 0) {
        buf_put(&r->sql, type.data, type.len);
        buf_putc(&r->sql, ')');
    }
}

/* A row comparison is the one form of keyset predicate for which the planner walks an index from the cursor on. */
static void put_after_cursor(struct render *r, const struct sort_order *order)
{
    const struct pieces *keys = r->statement->keys[r->sort];

    BUF_LIT(&r->sql, " AND (");
    for (size_t i = 0; i < order->n_keys; i++) {
        if (i > 0)
            BUF_LIT(&r->sql, ", ");
        put_expression(r, &keys[i]);
    }
    buf_puts(&r->sql, order->is_descending ? ") < (" : ") > (");
    for (size_t i = 0; i < order->n_keys; i++) {
        if (i > 0)
            BUF_LIT(&r->sql, ", ");
        put_cursor_key(r, &keys[i], i);
    }
    buf_putc(&r->sql, ')');
}

static void put_page(struct render *r)
{
    const struct sort_order *order = &r->statement->info.sorts[r->sort];
    const struct pieces *keys = r->statement->keys[r->sort];

    if (r->shape == VARIANT_COUNT)
        return;
    if (r->shape == VARIANT_AFTER_CURSOR)
        put_after_cursor(r, order);
    BUF_LIT(&r->sql, " ORDER BY ");
    for (size_t i = 0; i < order->n_keys; i++) {
        if (i > 0)
            BUF_LIT(&r->sql, ", ");
        put_expression(r, &keys[i]);
        if (order->is_descending)
            BUF_LIT(&r->sql, " DESC");
    }
    if (r->has_usual_limit) {
        buf_printf(&r->sql, " LIMIT %d", USUAL_LIMIT + 1);
        return;
    }
    BUF_LIT(&r->sql, " LIMIT ");
    put_bind(r, SLICE_LIT(BIND_LIMIT));
    BUF_LIT(&r->sql, "::bigint");
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void trim_end(struct buf *sql)
{
    while (sql->len > 0 && is_space(sql->data[sql->len - 1]))
        sql->len--;
}

static void put_body(struct render *r)
{
    const struct pieces *body = &r->statement->body;
    size_t start = r->sql.len;

    for (size_t i = 0; i < body->n; i++) {
        struct piece piece = body->items[i];
        if (piece.option != NO_OPTION && !(r->options & 1U << piece.option))
            continue;
        if (piece.kind == PIECE_BIND)
            put_bind(r, piece.text);
        else if (piece.kind == PIECE_PAGE)
            trim_end(&r->sql), put_page(r);
        else
            while (r->sql.len == start && piece.text.len > 0 && is_space(*piece.text.data))
                piece.text.data++, piece.text.len--;
        if (piece.kind == PIECE_TEXT)
            buf_put(&r->sql, piece.text.data, piece.text.len);
    }
    trim_end(&r->sql);
}

/* The statement's name leads as a comment, so that pg_stat_activity tells what is running. */
static void put_sql(struct render *r)
{
    buf_printf(&r->sql, "/* %s */ ", r->statement->info.name);
    if (r->shape == VARIANT_COUNT)
        BUF_LIT(&r->sql, "SELECT count(*) AS count FROM (");
    put_body(r);
    if (r->shape == VARIANT_COUNT)
        BUF_LIT(&r->sql, ") AS counted");
}

static struct variant_entry *variant_make(const struct statement *statement, unsigned options, size_t sort, enum variant_shape shape,
                                          bool has_usual_limit)
{
    struct arena *arena = statement->set->arena;
    struct variant_entry *entry = arena_zalloc(arena, sizeof *entry);
    struct variant *v = &entry->variant;
    struct render r = {.statement = statement, .options = options, .sort = sort, .shape = shape, .has_usual_limit = has_usual_limit};

    buf_init(&r.sql, NULL, 1024);
    put_sql(&r);
    v->statement = statement;
    v->id = atomic_fetch_add(&variants_made, 1);
    v->prepared_name = arena_printf(arena, "s%u", v->id);
    v->bound_name = arena_printf(arena, "b%u", v->id);
    v->sql = arena_strndup(arena, r.sql.data, r.sql.len);
    const char **binds = arena_zalloc_array(arena, r.n_binds + 1, sizeof *binds);
    if (r.n_binds > 0)
        memcpy(binds, r.binds, r.n_binds * sizeof *binds);
    v->binds = binds;
    v->n_binds = r.n_binds;
    atomic_init(&v->plan, NULL);
    free(r.binds);
    buf_done(&r.sql);
    return entry;
}

static struct variant_entry *bucket_find(struct variant_entry *entry, uint64_t key)
{
    while (entry != NULL && entry->key != key)
        entry = entry->next;
    return entry;
}

const struct variant *statement_variant(const struct statement *statement, unsigned options, size_t sort, enum variant_shape shape)
{
    const struct statement_info *info = &statement->info;
    bool has_usual_limit = info->has_page && shape != VARIANT_COUNT && (options & VARIANT_USUAL_LIMIT);

    options &= (1U << info->n_options) - 1;
    if (!info->has_page && shape == VARIANT_AFTER_CURSOR)
        shape = VARIANT_PLAIN;
    if (!info->has_page || shape == VARIANT_COUNT || sort >= info->n_sorts)
        sort = 0;
    uint64_t key = options | (uint64_t)shape << 32 | (uint64_t)has_usual_limit << 34 | (uint64_t)sort << 35;
    struct variant_entry *_Atomic *bucket =
        &((struct statement *)statement)->buckets[(key ^ key >> 5 ^ key >> 16 ^ key >> 32) % VARIANT_BUCKETS];
    struct variant_entry *entry = bucket_find(atomic_load_explicit(bucket, memory_order_acquire), key);

    if (entry != NULL)
        return &entry->variant;
    pthread_mutex_lock(&statement->set->making);
    struct variant_entry *head = atomic_load_explicit(bucket, memory_order_acquire);
    entry = bucket_find(head, key);
    if (entry == NULL) {
        entry = variant_make(statement, options, sort, shape, has_usual_limit);
        entry->key = key;
        entry->next = head;
        atomic_store_explicit(bucket, entry, memory_order_release);
    }
    pthread_mutex_unlock(&statement->set->making);
    return &entry->variant;
}

size_t variant_count(void)
{
    return atomic_load(&variants_made);
}

void variant_on_free(const struct variant *variant, void (*fn)(void *arg), void *arg)
{
    struct sql_set *set = variant->statement->set;

    pthread_mutex_lock(&set->making);
    arena_on_free(set->arena, fn, arg);
    pthread_mutex_unlock(&set->making);
}
