/* SPDX-License-Identifier: Apache-2.0 */
/* What is let through. The library is lenient: it takes bare line feeds, folded lines, blanks before a colon, two lengths, a length beside
 * a coding. Every one of these lets two servers in a row see different requests (smuggling), so each is refused here (RFC 9112 §§ 2–7). */
#include "frame.h"

#include <string.h>
#include <strings.h>

#include "asnd/arena.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_token_char(char c)
{
    return is_digit(c) || is_alpha(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static enum status bad_framing(struct ctx *ctx, const char *en, const char *id)
{
    return fail(ctx, ST_BAD_REQUEST, "bad-framing", "%s", "%s", ctx->lang == LANG_EN ? en : id);
}

static enum status bad_target(struct ctx *ctx, const char *en, const char *id)
{
    return fail(ctx, ST_BAD_REQUEST, "bad-target", "%s", "%s", ctx->lang == LANG_EN ? en : id);
}

/* ── header lines ── */

/* Ends a line at `at`, where CR LF must have been. */
static bool ends_line(const char *block, size_t len, size_t at)
{
    return at + 1 < len && block[at] == '\0' && block[at + 1] == '\0';
}

static bool is_token(const char *text)
{
    if (*text == '\0')
        return false;
    while (is_token_char(*text))
        text++;
    return *text == '\0';
}

/* Visible bytes, blanks and tabs; bytes above 127 are let through as RFC 9110 § 5.5 wants. */
static bool is_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)value[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static enum status bad_line(struct ctx *ctx)
{
    return bad_framing(ctx, "A header line is not of the form `Name: value`, ended by CR LF, without folding or control bytes.",
                       "Baris kepala bukan berbentuk `Nama: nilai` yang diakhiri CR LF tanpa lipatan atau bita kendali.");
}

/* One line at block[*at]; *at moves behind it. */
static bool read_line(char *block, size_t len, size_t *at, struct header *ret)
{
    char *name = block + *at;
    size_t name_len = strnlen(name, len - *at);
    char *value = name + name_len + 1;
    size_t room = *at + name_len + 1 < len ? len - *at - name_len - 1 : 0;
    size_t value_len = room ? strnlen(value, room) : 0;
    struct slice trimmed;

    if (!is_token(name) || value_len == room || !ends_line(block, len, (size_t)(value - block) + value_len))
        return false;
    if (!is_value(value, value_len))
        return false;
    *at = (size_t)(value - block) + value_len + 2;
    trimmed = slice_trim((struct slice){value, value_len});
    value[(size_t)(trimmed.data - value) + trimmed.len] = '\0';
    *ret = (struct header){name, trimmed.data};
    return true;
}

enum status frame_read_headers(struct ctx *ctx, char *block, size_t len, struct head *head)
{
    struct header found[FRAME_HEADERS_MAX];
    size_t at = 2, n = 0;

    if (!ends_line(block, len, 0))
        return bad_line(ctx);
    while (at < len && block[at] != '\0') {
        if (n == FRAME_HEADERS_MAX)
            return fail(ctx, ST_HEAD_TOO_LARGE, "head-too-large", "More than %d header lines.", "Lebih dari %d baris kepala.",
                        FRAME_HEADERS_MAX);
        if (!read_line(block, len, &at, &found[n]))
            return bad_line(ctx);
        n++;
    }
    if (at + 2 != len || !ends_line(block, len, at))
        return bad_line(ctx);
    head->headers = arena_alloc(ctx->arena, n * sizeof(*found));
    if (n > 0)
        memcpy(head->headers, found, n * sizeof(*found));
    head->n_headers = n;
    return ST_OK;
}

const char *frame_first(const struct head *head, const char *name, size_t *ret_count)
{
    const char *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < head->n_headers; i++) {
        if (strcasecmp(head->headers[i].name, name) != 0)
            continue;
        if (count++ == 0)
            first = head->headers[i].value;
        if (!ret_count)
            break;
    }
    if (ret_count)
        *ret_count = count;
    return first;
}

/* Appends to *first every later line of its name, and takes those out. */
static void join_lines(struct arena *arena, struct head *head, struct header *first)
{
    const struct header *end = head->headers + head->n_headers;
    struct header *kept = first + 1;

    for (const struct header *line = first + 1; line < end; line++) {
        if (strcasecmp(line->name, first->name) == 0)
            first->value = arena_printf(arena, "%s, %s", first->value, line->value);
        else
            *kept++ = *line;
    }
    head->n_headers = (size_t)(kept - head->headers);
}

const char *frame_header(struct arena *arena, struct head *head, const char *name)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (strcasecmp(head->headers[i].name, name) != 0)
            continue;
        join_lines(arena, head, &head->headers[i]);
        return head->headers[i].value;
    }
    return NULL;
}

/* ── the method ── */

enum status frame_read_method(struct ctx *ctx, const char *name, struct head *head)
{
    static const char *const usual[] = {"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"};

    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        if (strcmp(usual[i], name) == 0) {
            head->method = usual[i];
            return ST_OK;
        }
    }
    if (!is_token(name))
        return bad_framing(ctx, "The method is not a word of letters.", "Metode bukan kata yang terdiri dari huruf.");
    if (strlen(name) > FRAME_METHOD_MAX)
        return fail(ctx, ST_NOT_IMPLEMENTED, "method-unknown", "No method has a name that long.",
                    "Tidak ada metode dengan nama sepanjang itu.");
    head->method = arena_strdup(ctx->arena, name);
    return ST_OK;
}

/* ── the target ── */

/* reg-name, IPv4 or [IPv6], and perhaps `:port`; no user part. */
static bool is_authority(const char *data, size_t len)
{
    size_t i = 0, host;

    if (len > 0 && data[0] == '[') {
        for (i = 1; i < len && (is_hex(data[i]) || data[i] == ':' || data[i] == '.'); i++)
            ;
        if (i == len || data[i++] != ']' || i == 2)
            return false;
    } else {
        while (i < len && (is_digit(data[i]) || is_alpha(data[i]) || data[i] == '-' || data[i] == '.' || data[i] == '_'))
            i++;
    }
    host = i;
    if (host == 0 || host > 255)
        return false;
    if (i == len)
        return true;
    if (data[i++] != ':' || len - i > 5)
        return false;
    while (i < len && is_digit(data[i]))
        i++;
    return i == len;
}

/* Turns http://host/path?query into /path?query. */
static bool reduce_absolute(struct ctx *ctx, struct slice *target)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);
        size_t host_len;

        if (target->len < n || strncasecmp(target->data, schemes[i], n) != 0)
            continue;
        for (host_len = 0; n + host_len < target->len && !memchr("/?", target->data[n + host_len], 2); host_len++)
            ;
        if (!is_authority(target->data + n, host_len))
            return false;
        target->data += n + host_len;
        target->len -= n + host_len;
        if (target->len == 0 || target->data[0] == '?') {
            target->data = arena_printf(ctx->arena, "/%.*s", (int)target->len, target->data);
            target->len++;
        }
        return true;
    }
    return false;
}

static enum status check_target_bytes(struct ctx *ctx, struct slice target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.data[i];

        if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\')
            return bad_target(ctx,
                              "The target holds a byte that must be percent-encoded (a blank, a control byte, `#`, `\\` or not ASCII).",
                              "Alamat memuat bita yang harus disandikan dengan persen (spasi, bita kendali, `#`, `\\` atau bukan ASCII).");
        if (c != '%')
            continue;
        if (target.len - i < 3 || !is_hex(target.data[i + 1]) || !is_hex(target.data[i + 2]))
            return bad_target(ctx, "A `%` is not followed by two hexadecimal digits; write `%25` for the sign itself.",
                              "Tanda `%` tidak diikuti dua digit heksadesimal; tulis `%25` untuk tanda itu sendiri.");
        if (target.data[i + 1] == '0' && target.data[i + 2] == '0')
            return bad_target(ctx, "`%00` is not allowed in a target.", "`%00` tidak boleh ada dalam alamat.");
    }
    return ST_OK;
}

enum status frame_read_target(struct ctx *ctx, struct slice raw, size_t limit, struct head *head)
{
    struct slice target = raw;
    const char *mark;

    if (raw.len > limit)
        return fail(ctx, ST_TARGET_TOO_LONG, "target-too-long", "The target has %zu bytes; at most %zu are taken.",
                    "Alamat berisi %zu bita; paling banyak %zu yang diterima.", raw.len, limit);
    if (slice_is(raw, "*") && strcmp(head->method, "OPTIONS") == 0) {
        head->is_asterisk = true;
        head->target = head->path = raw;
        return ST_OK;
    }
    if (strcmp(head->method, "CONNECT") == 0 && is_authority(raw.data, raw.len))
        return fail(ctx, ST_NOT_IMPLEMENTED, "method-unknown", "This is no proxy: it opens no tunnels.",
                    "Ini bukan proksi: tidak membuka terowongan.");
    if (raw.len == 0 || (raw.data[0] != '/' && !reduce_absolute(ctx, &target)))
        return bad_target(ctx, "The target must begin with `/` or be an http URL with a sound host.",
                          "Alamat harus diawali `/` atau berupa URL http dengan nama inang yang benar.");
    if (check_target_bytes(ctx, target) != ST_OK)
        return ctx->problem.status;
    head->target = head->path = target;
    mark = memchr(target.data, '?', target.len);
    if (mark) {
        head->path.len = (size_t)(mark - target.data);
        head->query = (struct slice){mark + 1, target.len - head->path.len - 1};
    }
    return ST_OK;
}

/* ── what the headers mean together ── */

static enum status check_host(struct ctx *ctx, const struct head *head)
{
    size_t count;
    const char *host = frame_first(head, "Host", &count);

    if (count == 0 && head->is_http10)
        return ST_OK;
    if (count != 1)
        return fail(ctx, ST_BAD_REQUEST, "bad-request", "A request needs exactly one Host header; this one has %zu.",
                    "Permintaan memerlukan tepat satu kepala Host; yang ini mempunyai %zu.", count);
    if (!is_authority(host, strlen(host)))
        return fail(ctx, ST_BAD_REQUEST, "bad-request", "The Host header is not a host and port.",
                    "Kepala Host bukan nama inang dan porta.");
    return ST_OK;
}

static enum status check_length(struct ctx *ctx, const char *text, size_t count, struct head *head)
{
    int64_t value = 0;
    size_t len = strlen(text);

    if (count > 1)
        return bad_framing(ctx, "Content-Length is given more than once.", "Content-Length diberikan lebih dari sekali.");
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return bad_framing(ctx, "Content-Length is not a number.", "Content-Length bukan angka.");
        if (i >= 18)
            return fail(ctx, ST_BODY_TOO_LARGE, "body-too-large", "No body of that length is taken.", "Isi sepanjang itu tidak diterima.");
        value = value * 10 + (text[i] - '0');
    }
    if (len == 0)
        return bad_framing(ctx, "Content-Length is empty.", "Content-Length kosong.");
    head->content_length = value;
    head->has_body = value > 0;
    return ST_OK;
}

static enum status check_coding(struct ctx *ctx, const char *coding, size_t count, bool with_length, struct head *head)
{
    if (with_length)
        return bad_framing(ctx, "Content-Length and Transfer-Encoding exclude each other.",
                           "Content-Length dan Transfer-Encoding tidak boleh bersama-sama.");
    if (head->is_http10)
        return bad_framing(ctx, "HTTP/1.0 has no Transfer-Encoding.", "HTTP/1.0 tidak mengenal Transfer-Encoding.");
    if (count > 1 || strcasecmp(coding, "chunked") != 0)
        return fail(ctx, ST_NOT_IMPLEMENTED, "coding-unknown", "Of the transfer codings only `chunked`, once, is understood.",
                    "Di antara pengodean kirim hanya `chunked`, satu kali, yang dikenal.");
    head->content_length = -1;
    head->has_body = true;
    return ST_OK;
}

/* True if a comma-separated list has the token. */
static bool has_token(const char *list, const char *token)
{
    size_t len = strlen(token);

    while (*list) {
        size_t n;

        list += strspn(list, " \t,");
        n = strcspn(list, " \t,");
        if (n == len && strncasecmp(list, token, n) == 0)
            return true;
        list += n;
    }
    return false;
}

/* Whether the client keeps the connection; the library decides alike. */
static bool wants_close(const struct head *head)
{
    bool keep_alive = false;

    for (size_t i = 0; i < head->n_headers; i++) {
        if (strcasecmp(head->headers[i].name, "Connection") != 0)
            continue;
        if (has_token(head->headers[i].value, "close"))
            return true;
        keep_alive = keep_alive || has_token(head->headers[i].value, "keep-alive");
    }
    return head->is_http10 && !keep_alive;
}

/* Fields that decide something here and have one value. Joined, two would be a third; and whoever stands between may have read the other. */
static enum status check_singles(struct ctx *ctx, const struct head *head)
{
    static const char *const singles[] = {"Authorization", "Content-Type", "Idempotency-Key"};

    for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
        size_t count;

        frame_first(head, singles[i], &count);
        if (count > 1)
            return fail(ctx, ST_BAD_REQUEST, "bad-request", "The header %s has one value and may come once; this request has it %zu times.",
                        "Kepala %s hanya bernilai satu dan boleh dikirim sekali; permintaan ini memuatnya %zu kali.", singles[i], count);
    }
    return ST_OK;
}

static enum status check_expectations(struct ctx *ctx, const struct head *head)
{
    if (head->is_http10)
        return ST_OK;
    for (size_t i = 0; i < head->n_headers; i++)
        if (strcasecmp(head->headers[i].name, "Expect") == 0 && strcasecmp(head->headers[i].value, "100-continue") != 0)
            return fail(ctx, ST_EXPECTATION_FAILED, "expectation-failed", "Only `Expect: 100-continue` can be met.",
                        "Hanya `Expect: 100-continue` yang dapat dipenuhi.");
    return ST_OK;
}

enum status frame_check(struct ctx *ctx, struct head *head)
{
    size_t n_lengths, n_codings;
    const char *length = frame_first(head, "Content-Length", &n_lengths);
    const char *coding = frame_first(head, "Transfer-Encoding", &n_codings);
    enum status st = check_host(ctx, head);

    head->wants_close = wants_close(head);
    if (st == ST_OK && n_codings > 0)
        st = check_coding(ctx, coding, n_codings, n_lengths > 0, head);
    else if (st == ST_OK && n_lengths > 0)
        st = check_length(ctx, length, n_lengths, head);
    if (st == ST_OK)
        st = check_singles(ctx, head);
    return st == ST_OK ? check_expectations(ctx, head) : st;
}

/* ── language, request id ── */

/* q in thousandths from `;q=0.8`-like parameters; 1000 if absent, -1 if broken. */
static int read_q(const char *params, size_t len)
{
    struct slice p = slice_trim((struct slice){params, len});
    int q, scale = 100;

    if (p.len == 0)
        return 1000;
    if (p.len < 3 || (p.data[0] != 'q' && p.data[0] != 'Q') || p.data[1] != '=' || (p.data[2] != '0' && p.data[2] != '1'))
        return -1;
    q = (p.data[2] - '0') * 1000;
    if (p.len > 3 && (p.data[3] != '.' || p.len > 7))
        return -1;
    for (size_t i = 4; i < p.len; i++, scale /= 10) {
        if (!is_digit(p.data[i]))
            return -1;
        q += (p.data[i] - '0') * scale;
    }
    return q > 1000 ? -1 : q;
}

/* Keeps the better q of the range's language: `en-GB` counts for en, `*` for what is not named. */
static void rate_range(struct slice range, int q, int *id, int *en, int *any)
{
    size_t primary = 0;
    struct slice tag;

    while (primary < range.len && range.data[primary] != '-')
        primary++;
    tag = (struct slice){range.data, primary};
    if (slice_is_nocase(tag, "id") || slice_is_nocase(tag, "in")) /* `in` is the old code for Indonesian */
        *id = q > *id ? q : *id;
    else if (slice_is_nocase(tag, "en"))
        *en = q > *en ? q : *en;
    else if (slice_is(tag, "*"))
        *any = q;
}

enum lang frame_language(const char *accept_language)
{
    int id = -1, en = -1, any = 0;

    if (!accept_language)
        return LANG_ID;
    for (const char *at = accept_language; *at;) {
        size_t item = strcspn(at, ",");
        size_t name = strcspn(at, ",;");
        size_t params = name < item ? name + 1 : item;
        int q = read_q(at + params, item - params);

        if (q >= 0)
            rate_range(slice_trim((struct slice){at, name}), q, &id, &en, &any);
        at += item + (at[item] == ',');
    }
    return (en < 0 ? any : en) > (id < 0 ? any : id) ? LANG_EN : LANG_ID;
}

bool frame_is_request_id(const char *text)
{
    size_t len = strnlen(text, 65);

    for (size_t i = 0; i < len; i++)
        if (!is_digit(text[i]) && !is_alpha(text[i]) && !strchr("._-", text[i]))
            return false;
    return len >= 1 && len <= 64;
}
