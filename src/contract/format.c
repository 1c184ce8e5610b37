/* SPDX-License-Identifier: Apache-2.0 */
/* `format`: what is checked (date, date-time, uuid, email, uri, and those that other rooms register), and what only tells the reader. */
#include "internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "asnd/date.h"
#include "asnd/uuid.h"

#define REGISTERED_MAX 32

static struct {
    const char *name;
    format_check check;
} registered[REGISTERED_MAX];
static size_t n_registered;

static bool is_date(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    struct date d;
    *ret_en = "this is no date of the calendar; write YYYY-MM-DD";
    *ret_id = "ini bukan tanggal kalender; tulis YYYY-MM-DD";
    return date_parse(text, len, &d);
}

static bool is_date_time(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    *ret_en = "this is no moment; write it as 2026-01-31T08:00:00+08:00 (RFC 3339)";
    *ret_id = "ini bukan waktu; tulis seperti 2026-01-31T08:00:00+08:00 (RFC 3339)";
    return instant_is_valid(text, len);
}

static bool is_uuid(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    *ret_en = "this is no UUID";
    *ret_id = "ini bukan UUID";
    return uuid_is_valid(text, len);
}

static bool is_atext(unsigned char c)
{
    return isalnum(c) || c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* "…" with backslashes before what would end it; controls have no place in it. */
static bool is_quoted(const char *text, size_t len)
{
    size_t i = 1;
    while (i < len && text[i] != '"') {
        i += text[i] == '\\';
        if (i >= len || (unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
        i++;
    }
    return i > 1 && i + 1 == len;
}

/* Mailbox of RFC 5321 as people write it: dot-string or quoted string, then a domain or an address literal. */
static bool is_local_part(const char *text, size_t len)
{
    if (len == 0 || len > 64)
        return false;
    if (text[0] == '"')
        return is_quoted(text, len);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '.' ? i == 0 || i + 1 == len || text[i - 1] == '.' : !is_atext((unsigned char)text[i]))
            return false;
    return true;
}

static bool is_domain(const char *text, size_t len)
{
    size_t label = 0;
    if (len == 0 || len > 255)
        return false;
    for (size_t i = 0; i <= len; i++) {
        if (i == len || text[i] == '.') {
            if (label == 0 || label > 63 || text[i - label] == '-' || text[i - 1] == '-')
                return false;
            label = 0;
        } else if (isalnum((unsigned char)text[i]) || text[i] == '-' || (unsigned char)text[i] >= 0x80) {
            label++;
        } else {
            return false;
        }
    }
    return true;
}

/* [192.0.2.1], [IPv6:2001:db8::1]: what stands between the brackets. */
static bool is_address_literal(const char *text, size_t len)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    const bool is_v6 = len > 5 && strncasecmp(text, "IPv6:", 5) == 0;
    if (is_v6) {
        text += 5;
        len -= 5;
    }
    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    return inet_pton(is_v6 ? AF_INET6 : AF_INET, address, bytes) == 1;
}

static bool is_email(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    const char *at = len ? memrchr(text, '@', len) : NULL;
    size_t rest;
    *ret_en = "this is no e-mail address";
    *ret_id = "ini bukan alamat surel";
    if (!at || !is_local_part(text, (size_t)(at - text)))
        return false;
    rest = len - (size_t)(at - text) - 1;
    if (rest > 2 && at[1] == '[' && text[len - 1] == ']')
        return is_address_literal(at + 2, rest - 2);
    return is_domain(at + 1, rest);
}

/* RFC 3986: a scheme, then only characters that a URI may hold, with whole percent escapes; brackets only around a host. */
static bool is_uri(const char *text, size_t len, const char **ret_en, const char **ret_id)
{
    size_t i = 0;
    bool in_host = false;
    *ret_en = "this is no URI with a scheme";
    *ret_id = "ini bukan URI dengan skema";
    if (len == 0 || !isalpha((unsigned char)text[0]))
        return false;
    while (i < len && (isalnum((unsigned char)text[i]) || strchr("+-.", text[i])) && text[i])
        i++;
    if (i == len || text[i++] != ':')
        return false;
    if (len - i >= 2 && text[i] == '/' && text[i + 1] == '/') {
        in_host = true;
        i += 2;
    }
    for (; i < len; i++) {
        char c = text[i];
        if (strchr("/?#", c))
            in_host = false;
        if (c == '%') {
            if (len - i < 3 || !isxdigit((unsigned char)text[i + 1]) || !isxdigit((unsigned char)text[i + 2]))
                return false;
        } else if (c == '[' || c == ']') {
            if (!in_host)
                return false;
        } else if (!isalnum((unsigned char)c) && (!c || !strchr("-._~:/?#@!$&'()*+,;=", c))) {
            return false;
        }
    }
    return true;
}

static const struct {
    const char *name;
    format_check check;
} builtin[] = {
    {"date", is_date}, {"date-time", is_date_time}, {"uuid", is_uuid}, {"email", is_email}, {"uri", is_uri},
};

/* Formats that say how to read a value and refuse nothing. */
static const char *const annotations[] = {"int32", "int64", "binary", "decimal", "ltree"};

void format_register(const char *name, format_check check)
{
    for (size_t i = 0; i < n_registered; i++)
        if (strcmp(registered[i].name, name) == 0)
            return;
    if (n_registered < REGISTERED_MAX) {
        registered[n_registered].name = name;
        registered[n_registered++].check = check;
    }
}

format_check format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(builtin); i++)
        if (strcmp(builtin[i].name, name) == 0)
            return builtin[i].check;
    for (size_t i = 0; i < n_registered; i++)
        if (strcmp(registered[i].name, name) == 0)
            return registered[i].check;
    return NULL;
}

bool format_is_known(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(annotations); i++)
        if (strcmp(annotations[i], name) == 0)
            return true;
    return format_find(name) != NULL;
}
