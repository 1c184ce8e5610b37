/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The little of SQL's lexical structure that finding parameters and markers takes. */
#include <stdbool.h>

#include "asnd/text.h"

enum lexeme {
    LEX_END,
    LEX_BROKEN,   /* something was opened and not closed: lexer.fault says what */
    LEX_SPACE,    /* white space */
    LEX_WORD,     /* keyword or bare identifier */
    LEX_NUMBER,   /* begins with a digit */
    LEX_QUOTED,   /* '…', E'…', "…", $tag$…$tag$ */
    LEX_COMMENT,  /* with its delimiters */
    LEX_BIND,     /* :name; the slice is the name alone */
    LEX_POSITION, /* $1 */
    LEX_PUNCT,    /* one character, or :: or := */
};

struct lexer {
    const char *start;
    const char *at;
    const char *end;
    int line;     /* of `at` */
    int brackets; /* depth of […], where a colon may be an array slice */
    const char *fault;
};

void lexer_init(struct lexer *lexer, struct slice text, int line);
enum lexeme lexer_next(struct lexer *lexer, struct slice *ret);
