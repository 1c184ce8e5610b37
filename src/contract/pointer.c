/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Pointers (RFC 6901): following a local $ref, and saying where we are. */
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "asnd/buf.h"

#define TOKEN_MAX 512

static int hex_value(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The next token of a URI fragment, decoded; NULL on a bad escape. *at moves to the slash behind it or the end. */
static const char *next_token(const char **at, char ret[TOKEN_MAX])
{
    size_t n = 0;
    const char *p = *at;
    for (; *p && *p != '/'; p++) {
        char c = *p;
        if (c == '%') {
            if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]))
                return NULL;
            c = (char)(hex_value(p[1]) * 16 + hex_value(p[2]));
            p += 2;
        }
        if (c == '~') {
            if (p[1] != '0' && p[1] != '1')
                return NULL;
            c = *++p == '0' ? '~' : '/';
        }
        if (n + 1 >= TOKEN_MAX)
            return NULL;
        ret[n++] = c;
    }
    ret[n] = '\0';
    *at = p;
    return ret;
}

static const json_t *child(const json_t *node, const char *token)
{
    size_t digits = strspn(token, "0123456789");
    if (!json_is_array(node))
        return json_object_get(node, token);
    if (digits == 0 || digits > 9 || token[digits] || (token[0] == '0' && digits > 1))
        return NULL;
    return json_array_get(node, strtoul(token, NULL, 10));
}

const json_t *resolve_ref(const json_t *root, const char *ref)
{
    const json_t *node = root;
    char token[TOKEN_MAX];
    if (ref[0] != '#')
        return NULL;
    for (const char *p = ref + 1; *p && node;) {
        if (*p++ != '/' || !next_token(&p, token))
            return NULL;
        node = child(node, token);
    }
    return node;
}

const char *pointer_below(struct arena *arena, const char *at, const char *token)
{
    struct buf out;
    buf_init(&out, arena, strlen(at) + strlen(token) + 8);
    buf_puts(&out, at);
    buf_putc(&out, '/');
    for (; *token; token++) {
        if (*token == '~' || *token == '/')
            buf_puts(&out, *token == '~' ? "~0" : "~1");
        else
            buf_putc(&out, *token);
    }
    return buf_cstr(&out);
}
