/* SPDX-License-Identifier: Apache-2.0 */
/* Getting the provider's keys: from a file, an address, or by OpenID Connect Discovery. Bounded in bytes and time, HTTPS only (HTTP on this machine), no
 * redirects: an answer that sends elsewhere is a failure. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "asnd/arena.h"
#include "internal.h"

#define DISCOVERY "/.well-known/openid-configuration"

struct sink {
    char *bytes;
    size_t len, limit;
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *cls)
{
    struct sink *sink = cls;
    if (size * n > sink->limit - sink->len)
        return 0; /* the transfer fails with CURLE_WRITE_ERROR */
    memcpy(sink->bytes + sink->len, bytes, size * n);
    sink->len += size * n;
    return size * n;
}

static int on_progress(void *cls, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    const struct fetch *fetch = cls;
    (void)down_all, (void)down, (void)up_all, (void)up;
    return atomic_load(fetch->is_stopping);
}

static bool is_this_machine(const char *host)
{
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0 || strcmp(host, "localhost") == 0;
}

bool fetch_url_is_safe(const char *url)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;
    bool is_safe = false;
    if (parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK && curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_USER, &user, 0) != CURLUE_OK)
        is_safe = strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_this_machine(host));
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parsed);
    return is_safe;
}

static void set_options(CURL *curl, const struct fetch *fetch, const char *url, struct sink *sink)
{
    const struct settings *s = fetch->settings;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)s->oidc_fetch_ms);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (*s->oidc_ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, s->oidc_ca_file);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "asnd");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)(uintptr_t)fetch);
}

static const char *words_of(CURLcode code)
{
    return code == CURLE_WRITE_ERROR ? "it is longer than oidc_fetch_limit" : curl_easy_strerror(code);
}

static char *get(const struct fetch *fetch, const char *url, size_t *ret_len, const char **ret_why)
{
    struct sink sink = {.limit = (size_t)fetch->settings->oidc_fetch_limit};
    CURL *curl;
    CURLcode code;
    long status = 0;
    if (!fetch_url_is_safe(url)) {
        *ret_why = "its address is not HTTPS";
        return NULL;
    }
    curl = curl_easy_init();
    sink.bytes = malloc(sink.limit + 1);
    if (!curl || !sink.bytes) {
        curl_easy_cleanup(curl);
        free(sink.bytes);
        *ret_why = "no memory";
        return NULL;
    }
    set_options(curl, fetch, url, &sink);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    *ret_why = code != CURLE_OK ? words_of(code) : status != 200 ? "the answer is not 200" : NULL;
    *ret_len = sink.len;
    if (!*ret_why)
        return sink.bytes;
    free(sink.bytes);
    return NULL;
}

static char *read_file(const struct fetch *fetch, size_t *ret_len, const char **ret_why)
{
    size_t limit = (size_t)fetch->settings->oidc_fetch_limit;
    FILE *file = fopen(fetch->settings->oidc_jwks_file, "rbe");
    char *bytes = malloc(limit + 1);
    *ret_why = !file || !bytes ? "the file cannot be read" : NULL;
    if (!*ret_why) {
        *ret_len = fread(bytes, 1, limit + 1, file);
        *ret_why = ferror(file) ? "the file cannot be read" : *ret_len > limit ? "it is longer than oidc_fetch_limit" : NULL;
    }
    if (file)
        fclose(file);
    if (!*ret_why)
        return bytes;
    free(bytes);
    return NULL;
}

/* The provider says where its keys are; that it is the one that was meant, it must say too (OpenID Connect Discovery 1.0, 4.3). */
static char *discover(const struct fetch *fetch, struct arena *arena, size_t *ret_len, const char **ret_why)
{
    const char *issuer = fetch->settings->oidc_issuer, *said, *where;
    size_t len = strlen(issuer), text_len;
    char *text, *found = NULL;
    json_t *root;
    len -= len > 0 && issuer[len - 1] == '/';
    text = get(fetch, arena_printf(arena, "%.*s" DISCOVERY, (int)len, issuer), &text_len, ret_why);
    if (!text)
        return NULL;
    root = json_loadb(text, text_len, JSON_REJECT_DUPLICATES, NULL);
    said = json_string_value(json_object_get(root, "issuer"));
    where = json_string_value(json_object_get(root, "jwks_uri"));
    if (said && where && strcmp(said, issuer) == 0)
        found = get(fetch, where, ret_len, ret_why);
    else
        *ret_why = "its discovery document is of another issuer, or names no jwks_uri";
    json_decref(root);
    free(text);
    return found;
}

char *fetch_jwks(const struct fetch *fetch, size_t *ret_len, const char **ret_why)
{
    struct arena *arena;
    char *found;
    if (*fetch->settings->oidc_jwks_file)
        return read_file(fetch, ret_len, ret_why);
    if (*fetch->settings->oidc_jwks_url)
        return get(fetch, fetch->settings->oidc_jwks_url, ret_len, ret_why);
    arena = arena_new(1024);
    found = discover(fetch, arena, ret_len, ret_why);
    arena_free(arena);
    return found;
}
