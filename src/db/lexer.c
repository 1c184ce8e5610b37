/* SPDX-License-Identifier: Apache-2.0 */
/* A lexer for SQL files: knows quotes, dollar quotes, nested comments and where a colon is a parameter. It does not judge the SQL;
 * PostgreSQL does that when the statement is prepared. */
#include "lexer.h"

#include <string.h>

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_word_start(c) || is_digit(c) || c == '$';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void lexer_init(struct lexer *lexer, struct slice text, int line)
{
    *lexer = (struct lexer){.start = text.data, .at = text.data, .end = text.data + text.len, .line = line};
}

/* The byte `offset` away from the current one, or NUL outside the text. */
static char peek(const struct lexer *l, ptrdiff_t offset)
{
    const char *p = l->at + offset;

    return p >= l->start && p < l->end ? *p : '\0';
}

static enum lexeme broken(struct lexer *l, const char *what)
{
    l->fault = what;
    return LEX_BROKEN;
}

/* From the opening quote to behind the closing one; a doubled quote is a quote. */
static enum lexeme quoted(struct lexer *l, char quote, bool has_escapes)
{
    for (l->at++; l->at < l->end; l->at++) {
        if (has_escapes && *l->at == '\\') {
            l->at++;
        } else if (*l->at == quote) {
            if (peek(l, 1) != quote) {
                l->at++;
                return LEX_QUOTED;
            }
            l->at++;
        }
    }
    l->at = l->end;
    return broken(l, quote == '"' ? "a quoted name is not closed" : "a string is not closed");
}

/* At a dollar sign: $tag$…$tag$, $1, or a lone character. */
static enum lexeme dollar(struct lexer *l)
{
    const char *tag = l->at;

    if (is_digit(peek(l, 1))) {
        for (l->at++; is_digit(peek(l, 0));)
            l->at++;
        return LEX_POSITION;
    }
    l->at++;
    while (is_word(peek(l, 0)) && peek(l, 0) != '$')
        l->at++;
    if (peek(l, 0) != '$') {
        l->at = tag + 1;
        return LEX_PUNCT;
    }
    l->at++;
    size_t len = (size_t)(l->at - tag);
    const char *close = memmem(l->at, (size_t)(l->end - l->at), tag, len);
    if (close == NULL) {
        l->at = l->end;
        return broken(l, "a dollar quote is not closed");
    }
    l->at = close + len;
    return LEX_QUOTED;
}

static enum lexeme block_comment(struct lexer *l)
{
    int depth = 0;

    while (l->at < l->end) {
        if (peek(l, 0) == '/' && peek(l, 1) == '*') {
            depth++;
            l->at += 2;
        } else if (peek(l, 0) == '*' && peek(l, 1) == '/') {
            l->at += 2;
            if (--depth == 0)
                return LEX_COMMENT;
        } else {
            l->at++;
        }
    }
    return broken(l, "a comment is not closed");
}

/* At a colon: a cast, an assignment, an array slice or a parameter. */
static enum lexeme colon(struct lexer *l, struct slice *ret)
{
    char before = peek(l, -1), after = peek(l, 1);
    bool is_slice = l->brackets > 0 && (is_word(before) || before == ')' || before == ']' || before == '"');

    l->at++;
    if (after == ':' || after == '=') {
        l->at++;
        return LEX_PUNCT;
    }
    if (!is_word_start(after) || is_slice)
        return LEX_PUNCT;
    ret->data = l->at;
    while (is_word(peek(l, 0)) && peek(l, 0) != '$')
        l->at++;
    ret->len = (size_t)(l->at - ret->data);
    return LEX_BIND;
}

static enum lexeme word(struct lexer *l)
{
    char first = *l->at;

    if ((first == 'E' || first == 'e') && peek(l, 1) == '\'') {
        l->at++;
        return quoted(l, '\'', true);
    }
    while (is_word(peek(l, 0)))
        l->at++;
    return LEX_WORD;
}

static enum lexeme run_of(struct lexer *l, bool (*is_part)(char c), enum lexeme lexeme)
{
    while (l->at < l->end && is_part(*l->at))
        l->at++;
    return lexeme;
}

static enum lexeme punct(struct lexer *l)
{
    if (*l->at == '[')
        l->brackets++;
    else if (*l->at == ']' && l->brackets > 0)
        l->brackets--;
    l->at++;
    return LEX_PUNCT;
}

static enum lexeme lex(struct lexer *l, struct slice *ret)
{
    char c = *l->at;

    if (is_space(c))
        return run_of(l, is_space, LEX_SPACE);
    if (c == '-' && peek(l, 1) == '-') {
        while (l->at < l->end && *l->at != '\n')
            l->at++;
        return LEX_COMMENT;
    }
    if (c == '/' && peek(l, 1) == '*')
        return block_comment(l);
    if (c == '\'' || c == '"')
        return quoted(l, c, false);
    if (c == '$')
        return dollar(l);
    if (c == ':')
        return colon(l, ret);
    if (is_word_start(c))
        return word(l);
    if (is_digit(c))
        return run_of(l, is_word, LEX_NUMBER);
    return punct(l);
}

enum lexeme lexer_next(struct lexer *l, struct slice *ret)
{
    const char *from = l->at;

    *ret = (struct slice){from, 0};
    if (l->at >= l->end)
        return LEX_END;
    enum lexeme lexeme = lex(l, ret);
    if (lexeme != LEX_BIND)
        ret->len = (size_t)(l->at - from);
    for (const char *p = from; p < l->at; p++)
        l->line += *p == '\n';
    return lexeme;
}
