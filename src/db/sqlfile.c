/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of SQL files: blocks, annotations, optional parts, page marker (syntax: asnd/db.h, docs/sql-files.md). It refuses what
 * would go wrong silently later, above all places where the keyset predicate would not mean what it says. */
#include "statement.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lexer.h"

struct parse {
    struct arena *arena;
    const char *file;
    FILE *err;
    bool is_ok;
    struct statement *statement;
    /* while in the SQL of a block */
    int nesting; /* of (), [] and CASE … END */
    int cases;
    int option, option_line, option_nesting;
    bool has_where;           /* outside brackets and optional parts */
    bool has_end;             /* a semicolon was read */
    const char *page_blocker; /* why the page marker cannot work here */
    char before;              /* last significant character */
};

PRINTF_LIKE(3, 4) static void fault(struct parse *p, int line, const char *fmt, ...)
{
    va_list ap;

    p->is_ok = false;
    fprintf(p->err, "%s:%d: ", p->file, line);
    va_start(ap, fmt);
    vfprintf(p->err, fmt, ap);
    va_end(ap);
    fputc('\n', p->err);
}

static void *grown(struct arena *arena, const void *items, size_t n, size_t size)
{
    void *more = arena_alloc(arena, n * 2 * size);

    if (n > 0)
        memcpy(more, items, n * size);
    return more;
}

/* Text that follows right on the last text of the same option makes it longer instead of starting another piece. */
static void piece_add(struct arena *arena, struct pieces *pieces, enum piece_kind kind, int option, struct slice text)
{
    struct piece *last = pieces->n > 0 ? &pieces->items[pieces->n - 1] : NULL;

    if (last && kind == PIECE_TEXT && last->kind == PIECE_TEXT && last->option == option && last->text.data + last->text.len == text.data) {
        last->text.len += text.len;
        return;
    }
    if (pieces->n == pieces->cap) {
        pieces->cap = pieces->cap ? pieces->cap * 2 : 8;
        pieces->items = pieces->n ? grown(arena, pieces->items, pieces->n, sizeof *last) : arena_alloc(arena, 8 * sizeof *last);
    }
    pieces->items[pieces->n++] = (struct piece){kind, option, text};
}

static bool is_ident(struct slice s)
{
    if (s.len == 0 || (s.data[0] >= '0' && s.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return true;
}

/* ── sort orders ── */

struct sort_parse {
    struct parse *p;
    int line;
    struct sort_order *order;
    struct sort_key *keys;
    struct pieces *pieces;
    struct lexer lexer;
};

/* One `expression [ASC|DESC] AS column`; stops behind its comma. False at a fault or, without one, when nothing is left. */
static bool sort_key_parse(struct sort_parse *s, bool *ret_more)
{
    struct slice part, column = {0}, expression = {0};
    struct pieces *pieces = &s->pieces[s->order->n_keys];
    int nesting = 0, desc = 0;
    bool has_as = false;
    enum lexeme lexeme;

    while ((lexeme = lexer_next(&s->lexer, &part)) != LEX_END && lexeme != LEX_BROKEN) {
        if (lexeme == LEX_SPACE)
            continue;
        if (lexeme == LEX_PUNCT && nesting == 0 && *part.data == ',')
            break;
        if (lexeme == LEX_PUNCT && (*part.data == '(' || *part.data == ')'))
            nesting += *part.data == '(' ? 1 : -1;
        if (lexeme == LEX_COMMENT || (lexeme == LEX_WORD && nesting == 0 && slice_is_nocase(part, "nulls")))
            return fault(s->p, s->line, "sort: neither comments nor NULLS FIRST/LAST can be part of a key"), false;
        if (has_as) {
            if (column.len > 0 || !is_ident(part))
                return fault(s->p, s->line, "sort: each key ends with AS and one result column"), false;
            column = part;
        } else if (lexeme == LEX_WORD && nesting == 0 && slice_is_nocase(part, "as")) {
            has_as = true;
        } else if (lexeme == LEX_WORD && nesting == 0 && (slice_is_nocase(part, "desc") || slice_is_nocase(part, "asc"))) {
            desc = slice_is_nocase(part, "desc") ? 1 : -1;
        } else {
            const char *start = lexeme == LEX_BIND ? part.data - 1 : part.data;
            if (expression.len == 0)
                expression.data = start;
            else /* the gap since the last part */
                piece_add(s->p->arena, pieces, PIECE_TEXT, NO_OPTION,
                          (struct slice){expression.data + expression.len, (size_t)(start - expression.data) - expression.len});
            expression.len = (size_t)(part.data + part.len - expression.data);
            piece_add(s->p->arena, pieces, lexeme == LEX_BIND ? PIECE_BIND : PIECE_TEXT, NO_OPTION, part);
        }
    }
    if (lexeme == LEX_BROKEN)
        return fault(s->p, s->line, "sort: %s", s->lexer.fault), false;
    if (expression.len == 0 || column.len == 0)
        return fault(s->p, s->line, "sort: each key is `expression [DESC] AS column`"), false;
    if (s->order->n_keys > 0 && s->order->is_descending != (desc > 0))
        return fault(s->p, s->line, "sort: all keys of one order must run the same way"), false;
    s->order->is_descending = desc > 0;
    s->keys[s->order->n_keys].expression = arena_strndup(s->p->arena, expression.data, expression.len);
    s->keys[s->order->n_keys].column = arena_strndup(s->p->arena, column.data, column.len);
    s->order->n_keys++;
    *ret_more = lexeme != LEX_END;
    return true;
}

static void sort_store(struct parse *p, const struct sort_order *order, const struct pieces *pieces)
{
    struct statement *st = p->statement;
    size_t n = st->info.n_sorts;
    struct sort_order *sorts = arena_zalloc_array(p->arena, n + 1, sizeof *sorts);
    struct pieces(*keys)[SORT_KEYS_MAX] = arena_zalloc_array(p->arena, n + 1, sizeof *keys);

    if (n > 0) {
        memcpy(sorts, st->info.sorts, n * sizeof *sorts);
        memcpy(keys, st->keys, n * sizeof *keys);
    }
    sorts[n] = *order;
    memcpy(keys[n], pieces, sizeof keys[n]);
    st->info.sorts = sorts;
    st->keys = keys;
    st->info.n_sorts = n + 1;
}

static void sort_parse(struct parse *p, struct slice value, int line)
{
    const char *equals = memchr(value.data, '=', value.len);
    struct sort_key *keys = arena_zalloc_array(p->arena, SORT_KEYS_MAX, sizeof *keys);
    struct pieces pieces[SORT_KEYS_MAX] = {0};
    struct sort_order order = {.keys = keys};
    bool more = true;

    if (equals == NULL) {
        fault(p, line, "sort: write `-- sort: name = expression AS column, …`");
        return;
    }
    struct slice name = slice_trim((struct slice){value.data, (size_t)(equals - value.data)});
    struct slice bare = name.len > 0 && *name.data == '-' ? (struct slice){name.data + 1, name.len - 1} : name;
    if (!is_ident(bare)) {
        fault(p, line, "sort: \"%.*s\" cannot be the name of an order", (int)name.len, name.data);
        return;
    }
    order.name = arena_strndup(p->arena, name.data, name.len);
    for (size_t i = 0; i < p->statement->info.n_sorts; i++)
        if (strcmp(p->statement->info.sorts[i].name, order.name) == 0) {
            fault(p, line, "sort: \"%s\" is there already", order.name);
            return;
        }
    struct sort_parse s = {.p = p, .line = line, .order = &order, .keys = keys, .pieces = pieces};
    lexer_init(&s.lexer, (struct slice){equals + 1, (size_t)(value.data + value.len - equals - 1)}, line);
    while (more) {
        if (order.n_keys == SORT_KEYS_MAX) {
            fault(p, line, "sort: at most %d keys", SORT_KEYS_MAX);
            return;
        }
        if (!sort_key_parse(&s, &more))
            return;
    }
    sort_store(p, &order, pieces);
}

/* ── annotations ── */

static const char *const annotation_words[] = {"every", "name", "sort", "timeout", "write"};

/* Splits `-- word: value`; false for other comments. */
static bool annotation_split(struct slice comment, struct slice *ret_word, struct slice *ret_value)
{
    struct slice rest = slice_trim((struct slice){comment.data + 2, comment.len - 2});
    size_t n = 0;

    while (n < rest.len && rest.data[n] >= 'a' && rest.data[n] <= 'z')
        n++;
    if (n == 0 || n == rest.len || rest.data[n] != ':')
        return false;
    *ret_word = (struct slice){rest.data, n};
    *ret_value = slice_trim((struct slice){rest.data + n + 1, rest.len - n - 1});
    return true;
}

static bool is_annotation(struct slice word)
{
    for (size_t i = 0; i < ARRAY_LEN(annotation_words); i++)
        if (slice_is(word, annotation_words[i]))
            return true;
    return false;
}

static void milliseconds_parse(struct parse *p, struct slice word, struct slice value, int line, int *ret)
{
    char *end;
    long ms = strtol(arena_strndup(p->arena, value.data, value.len), &end, 10);

    if (*end != '\0' || value.len == 0 || ms < 1 || ms > 3600000)
        fault(p, line, "%.*s: milliseconds from 1 to 3600000", (int)word.len, word.data);
    else
        *ret = (int)ms;
}

/* A word that is not ours is a remark, unless it looks like one of ours misspelt. */
static void annotation_parse(struct parse *p, struct slice word, struct slice value, int line)
{
    if (slice_is(word, "sort")) {
        sort_parse(p, value, line);
    } else if (slice_is(word, "timeout")) {
        milliseconds_parse(p, word, value, line, &p->statement->info.timeout_ms);
    } else if (slice_is(word, "every")) {
        milliseconds_parse(p, word, value, line, &p->statement->info.every_ms);
    } else if (slice_is(word, "write")) {
        if (!slice_is(value, "true"))
            fault(p, line, "write: only `-- write: true` can be said; INSERT, UPDATE, DELETE and MERGE are found");
        p->statement->info.is_write = true;
    } else {
        const char *near = text_nearest(arena_strndup(p->arena, word.data, word.len), annotation_words, ARRAY_LEN(annotation_words));
        if (near != NULL)
            fault(p, line, "\"%.*s\" is not an annotation; \"%s\" is meant?", (int)word.len, word.data, near);
    }
}

/* ── SQL ── */

static void option_open(struct parse *p, struct slice name, int line)
{
    struct statement_info *info = &p->statement->info;
    const char **options = (const char **)info->options;
    size_t i = 0;

    if (p->option != NO_OPTION) {
        fault(p, line, "optional parts may not nest; the one of line %d is still open", p->option_line);
        return;
    }
    while (i < info->n_options && !slice_is(name, options[i]))
        i++;
    if (i == STATEMENT_OPTIONS_MAX) {
        fault(p, line, "more than %d optional parts with a name of their own", STATEMENT_OPTIONS_MAX);
        return;
    }
    if (i == info->n_options) {
        if (options == NULL)
            info->options = options = arena_zalloc_array(p->arena, STATEMENT_OPTIONS_MAX, sizeof *options);
        options[i] = arena_strndup(p->arena, name.data, name.len);
        info->n_options++;
    }
    p->option = (int)i;
    p->option_line = line;
    p->option_nesting = p->nesting;
}

static void option_close(struct parse *p, int line)
{
    if (p->option == NO_OPTION)
        fault(p, line, "an optional part is closed that was not opened");
    else if (p->nesting != p->option_nesting)
        fault(p, line, "brackets do not match inside the optional part of line %d", p->option_line);
    p->option = NO_OPTION;
}

static void page_mark(struct parse *p, int line)
{
    struct statement_info *info = &p->statement->info;

    if (info->has_page)
        fault(p, line, "the page marker stands there twice");
    else if (p->option != NO_OPTION || p->nesting > 0)
        fault(p, line, "the page marker must stand outside optional parts and brackets");
    else if (!p->has_where)
        fault(p, line, "the page marker needs a WHERE before it that is always there (WHERE true will do)");
    else if (p->page_blocker != NULL)
        fault(p, line, "%s before the page marker", p->page_blocker);
    info->has_page = true;
    piece_add(p->arena, &p->statement->body, PIECE_PAGE, NO_OPTION, (struct slice){0});
}

static void comment_parse(struct parse *p, struct slice comment, int line)
{
    struct slice word, value, inner;

    if (comment.data[0] == '-') {
        if (annotation_split(comment, &word, &value) && is_annotation(word))
            fault(p, line, "\"-- %.*s:\" must stand directly below the name", (int)word.len, word.data);
        return;
    }
    inner = slice_trim((struct slice){comment.data + 2, comment.len - 4});
    if (comment.data[2] == '?') {
        inner = slice_trim((struct slice){inner.data + 1, inner.len - 1});
        if (inner.len == 0)
            option_close(p, line);
        else if (is_ident(inner))
            option_open(p, inner, line);
        else
            fault(p, line, "an optional part has exactly one parameter's name: \"%.*s\" is none", (int)inner.len, inner.data);
    } else if (slice_is(inner, "page")) {
        page_mark(p, line);
    } else {
        piece_add(p->arena, &p->statement->body, PIECE_TEXT, p->option, SLICE_LIT(" "));
    }
}

/* Notes what matters of a keyword: writes, and what the page marker must know. */
static void word_note(struct parse *p, struct slice word)
{
    static const char *const writes[] = {"insert", "update", "delete", "merge"};
    static const struct {
        const char *word, *blocker;
        bool after_where;
    } blockers[] = {
        {"or", "OR outside brackets", true},
        {"group", "GROUP BY (move it into a sub-select)", true},
        {"having", "HAVING (move it into a sub-select)", true},
        {"window", "WINDOW (move it into a sub-select)", true},
        {"order", "ORDER BY (the sort orders write it)", true},
        {"limit", "LIMIT (the page writes it)", true},
        {"offset", "OFFSET", true},
        {"fetch", "FETCH", true},
        {"for", "FOR UPDATE or SHARE", true},
        {"union", "UNION (move it into a sub-select)", false},
        {"intersect", "INTERSECT (move it into a sub-select)", false},
        {"except", "EXCEPT (move it into a sub-select)", false},
    };

    if (p->before == '.')
        return;
    for (size_t i = 0; i < ARRAY_LEN(writes); i++)
        if (slice_is_nocase(word, writes[i]))
            p->statement->info.is_write = true;
    if (slice_is_nocase(word, "case")) {
        p->cases++;
        p->nesting++;
    } else if (slice_is_nocase(word, "end") && p->cases > 0) {
        p->cases--;
        p->nesting--;
    }
    if (p->nesting > 0)
        return;
    if (slice_is_nocase(word, "where") && p->option == NO_OPTION)
        p->has_where = true;
    for (size_t i = 0; i < ARRAY_LEN(blockers); i++)
        if (slice_is_nocase(word, blockers[i].word) && (p->has_where || !blockers[i].after_where))
            p->page_blocker = blockers[i].blocker;
}

static void punct_note(struct parse *p, char c, int line)
{
    if (c == '(' || c == '[') {
        p->nesting++;
    } else if (c == ')' || c == ']') {
        if (p->nesting == 0)
            fault(p, line, "a bracket is closed that was not opened");
        else
            p->nesting--;
    }
}

/* Everything but space and comments, which may stand anywhere. */
static bool part_parse(struct parse *p, enum lexeme lexeme, struct slice part, int line)
{
    struct pieces *body = &p->statement->body;

    if (p->has_end)
        return fault(p, line, "one statement a block: nothing may follow the semicolon"), false;
    if (lexeme == LEX_PUNCT && *part.data == ';') {
        p->has_end = true;
        return true;
    }
    if (p->statement->info.has_page)
        return fault(p, line, "nothing may follow the page marker"), false;
    if (lexeme == LEX_POSITION)
        return fault(p, line, "parameters have names here: write :name instead of %.*s", (int)part.len, part.data), false;
    if (lexeme == LEX_BIND && *part.data == '_')
        return fault(p, line, ":%.*s: names that begin with _ are the engine's own", (int)part.len, part.data), false;
    if (lexeme == LEX_WORD)
        word_note(p, part);
    if (lexeme == LEX_PUNCT)
        punct_note(p, *part.data, line);
    p->before = part.data[part.len - 1];
    piece_add(p->arena, body, lexeme == LEX_BIND ? PIECE_BIND : PIECE_TEXT, p->option, part);
    return true;
}

static void sql_parse(struct parse *p, struct slice sql, int line)
{
    struct lexer lexer;
    struct slice part;

    lexer_init(&lexer, sql, line);
    for (;;) {
        int at = lexer.line;
        enum lexeme lexeme = lexer_next(&lexer, &part);

        if (lexeme == LEX_END)
            break;
        if (lexeme == LEX_BROKEN) {
            fault(p, at, "%s", lexer.fault);
            return;
        }
        if (lexeme == LEX_COMMENT)
            comment_parse(p, part, at);
        else if (lexeme == LEX_SPACE)
            piece_add(p->arena, &p->statement->body, PIECE_TEXT, p->option, part);
        else if (!part_parse(p, lexeme, part, at))
            return;
    }
    if (p->option != NO_OPTION)
        fault(p, p->option_line, "this optional part is not closed");
    else if (p->nesting > 0)
        fault(p, line, "brackets or CASE are not closed in this statement");
}

/* ── blocks ── */

static struct slice line_cut(struct slice *rest)
{
    const char *newline = memchr(rest->data, '\n', rest->len);
    struct slice line = {rest->data, newline ? (size_t)(newline - rest->data) : rest->len};
    size_t used = line.len + (newline != NULL);

    rest->data += used;
    rest->len -= used;
    return line;
}

static bool is_comment_line(struct slice line)
{
    return line.len >= 2 && line.data[0] == '-' && line.data[1] == '-';
}

/* `-- name: listAsn   and perhaps a remark`; false if the line does not open a block. */
static bool name_of(struct slice line, struct slice *ret)
{
    struct slice word, value;
    size_t n = 0;

    if (!is_comment_line(line) || !annotation_split(line, &word, &value) || !slice_is(word, "name"))
        return false;
    while (n < value.len && value.data[n] != ' ' && value.data[n] != '\t')
        n++;
    *ret = (struct slice){value.data, n};
    return true;
}

static bool is_statement_name(struct slice name)
{
    struct slice dotless = name;

    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == '.') {
            dotless = (struct slice){name.data + i + 1, name.len - i - 1};
            return is_ident((struct slice){name.data, i}) && is_ident(dotless);
        }
    return is_ident(dotless);
}

/* One block: `rest` begins below the name's line. Returns the statement, or NULL after a fault. */
static struct statement *block_parse(struct parse *p, struct slice name, struct slice rest, int line)
{
    struct statement *st = arena_zalloc(p->arena, sizeof *st);
    struct slice word, value;
    bool was_ok = p->is_ok;
    int at = line + 1;

    p->is_ok = true;
    p->statement = st;
    p->nesting = p->cases = 0;
    p->option = NO_OPTION;
    p->has_where = p->has_end = false;
    p->page_blocker = NULL;
    p->before = '\0';
    if (!is_statement_name(name))
        fault(p, line, "\"%.*s\" cannot be the name of a statement", (int)name.len, name.data);
    st->info.name = arena_strndup(p->arena, name.data, name.len);
    st->info.place = arena_printf(p->arena, "%s:%d", p->file, line);
    while (is_comment_line(rest)) {
        struct slice comment = line_cut(&rest);
        if (annotation_split(comment, &word, &value))
            annotation_parse(p, word, value, at);
        at++;
    }
    sql_parse(p, rest, at);
    if (p->is_ok && p->before == '\0')
        fault(p, line, "%s has no SQL", st->info.name);
    if (p->is_ok && st->info.has_page && st->info.n_sorts == 0)
        fault(p, line, "%s has a page marker and no sort order", st->info.name);
    if (p->is_ok && !st->info.has_page && st->info.n_sorts > 0)
        fault(p, line, "%s has sort orders and no page marker", st->info.name);
    bool is_ok = p->is_ok;
    p->is_ok = was_ok && is_ok;
    return is_ok ? st : NULL;
}

/* A statement is sent as a C string: what stands behind a NUL would silently be left out. */
static bool has_nul(struct parse *p, const struct sql_file *file)
{
    int line = 1;

    for (size_t i = 0; i < file->len; i++) {
        line += file->text[i] == '\n';
        if (file->text[i] == '\0') {
            fault(p, line, "there is a NUL byte");
            return true;
        }
    }
    return false;
}

bool sqlfile_parse(struct arena *arena, const struct sql_file *file, FILE *err, statement_add_fn add, void *cls)
{
    struct parse p = {.arena = arena, .file = arena_strdup(arena, file->name), .err = err, .is_ok = true};
    struct slice rest = {arena_strndup(arena, file->text, file->len), file->len};
    struct slice name = {0}, next = {0};
    const char *block = NULL; /* below the line with `name` */
    int line = 0, block_line = 0;

    if (has_nul(&p, file))
        return false;
    for (bool at_end = false; !at_end;) {
        at_end = rest.len == 0;
        struct slice text = at_end ? rest : line_cut(&rest);
        line++;
        if (!at_end && !name_of(text, &next)) {
            if (block == NULL && !is_comment_line(text) && slice_trim(text).len > 0) {
                fault(&p, line, "a statement must begin with `-- name: …`");
                return false;
            }
            continue;
        }
        if (block != NULL) {
            struct statement *st = block_parse(&p, name, (struct slice){block, (size_t)(text.data - block)}, block_line);
            if (st != NULL)
                add(cls, st, block_line);
        }
        name = next;
        block = rest.data;
        block_line = line;
    }
    return p.is_ok;
}
