/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS by the daemon itself: the library does it, with GnuTLS. What is sent past the library has to go through the same session. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "asnd/log.h"
#include "internal.h"

/* Certificates and keys are a few kilobytes. */
#define PEM_MAX 1048576

/* The whole file, NUL-terminated; NULL when it cannot be read. */
static char *read_pem(const char *path)
{
    FILE *file = fopen(path, "rbe");
    char *text = malloc(PEM_MAX + 1);
    size_t len;

    if (!text)
        die_no_memory();
    len = file ? fread(text, 1, PEM_MAX, file) : 0;
    if (!file || ferror(file) || len == 0) {
        free(text);
        text = NULL;
    } else {
        text[len] = '\0';
    }
    if (file)
        fclose(file);
    return text;
}

/* The library says no more than that it did not start: what is wrong with the pair is found out before. */
static const char *find_fault(const char *certificate, const char *key)
{
    gnutls_certificate_credentials_t both;
    gnutls_datum_t c, k;
    int code;

    if (!certificate || !key)
        return certificate ? "tls_key cannot be read" : "tls_certificate cannot be read";
    c = (gnutls_datum_t){(unsigned char *)(uintptr_t)certificate, (unsigned)strlen(certificate)};
    k = (gnutls_datum_t){(unsigned char *)(uintptr_t)key, (unsigned)strlen(key)};
    if (gnutls_certificate_allocate_credentials(&both) != 0)
        die_no_memory();
    code = gnutls_certificate_set_x509_key_mem(both, &c, &k, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(both);
    return code < 0 ? gnutls_strerror(code) : NULL;
}

/* ── the pair that is shown ── */

#define CHAIN_MAX 16

struct tls_pair {
    struct tls_pair *before; /* the one that it took the place of: a handshake may be under way with it */
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned n;
    gnutls_privkey_t key;
};

static pthread_mutex_t pair_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tls_pair *pair_shown;

void tls_pair_drop(struct tls_pair *pair)
{
    if (!pair)
        return;
    for (unsigned i = 0; i < pair->n; i++)
        gnutls_pcert_deinit(&pair->chain[i]);
    if (pair->key)
        gnutls_privkey_deinit(pair->key);
    free(pair);
}

static const char *import(struct tls_pair *pair, const char *certificate, const char *key)
{
    const gnutls_datum_t c = {(unsigned char *)(uintptr_t)certificate, (unsigned)strlen(certificate)};
    const gnutls_datum_t k = {(unsigned char *)(uintptr_t)key, (unsigned)strlen(key)};
    unsigned n = CHAIN_MAX;
    int code = gnutls_pcert_list_import_x509_raw(pair->chain, &n, &c, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);

    if (code < 0)
        return gnutls_strerror(code);
    pair->n = n;
    code = gnutls_privkey_init(&pair->key);
    if (code == 0)
        code = gnutls_privkey_import_x509_raw(pair->key, &k, GNUTLS_X509_FMT_PEM, NULL, 0);
    return code < 0 ? gnutls_strerror(code) : NULL;
}

struct tls_pair *tls_pair_read(const char *certificate_file, const char *key_file, const char **ret_why)
{
    char *certificate = read_pem(certificate_file), *key = read_pem(key_file);
    struct tls_pair *pair = calloc(1, sizeof *pair);

    if (!pair)
        die_no_memory();
    *ret_why = find_fault(certificate, key);
    if (!*ret_why)
        *ret_why = import(pair, certificate, key);
    if (key)
        gnutls_memset(key, 0, strlen(key));
    free(key);
    free(certificate);
    if (!*ret_why)
        return pair;
    tls_pair_drop(pair);
    return NULL;
}

void tls_pair_use(struct tls_pair *pair)
{
    pthread_mutex_lock(&pair_lock);
    pair->before = pair_shown;
    pair_shown = pair;
    pthread_mutex_unlock(&pair_lock);
}

void tls_forget(void)
{
    while (pair_shown) {
        struct tls_pair *before = pair_shown->before;

        tls_pair_drop(pair_shown);
        pair_shown = before;
    }
}

int tls_show_pair(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities, const gnutls_pk_algorithm_t *algorithms,
                  int n_algorithms, gnutls_pcert_st **ret_chain, unsigned *ret_n, gnutls_privkey_t *ret_key)
{
    struct tls_pair *pair;

    (void)session, (void)authorities, (void)n_authorities, (void)algorithms, (void)n_algorithms;
    pthread_mutex_lock(&pair_lock);
    pair = pair_shown;
    pthread_mutex_unlock(&pair_lock);
    *ret_chain = pair->chain;
    *ret_n = pair->n;
    *ret_key = pair->key;
    return 0;
}

bool tls_load(struct http_server *server)
{
    const char *fault;
    struct tls_pair *pair;

    server->speaks_tls = server->config.tls_certificate && *server->config.tls_certificate;
    if (!server->speaks_tls || pair_shown)
        return true;
    pair = tls_pair_read(server->config.tls_certificate, server->config.tls_key ? server->config.tls_key : "", &fault);
    if (pair)
        tls_pair_use(pair);
    else
        log_line(LOG_ERROR_, "cannot-speak-tls", LOG_TEXT("reason", fault));
    return pair != NULL;
}

static bool send_all(gnutls_session_t session, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = gnutls_record_send(session, bytes, len);

        if (n == GNUTLS_E_INTERRUPTED)
            continue;
        if (n <= 0)
            return false; /* among others: the handshake is not over, or the client takes nothing */
        bytes += n;
        len -= (size_t)n;
    }
    gnutls_bye(session, GNUTLS_SHUT_WR);
    return true;
}

bool tls_part(struct conn *conn, const char *bytes, size_t len)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    if (info && info->tls_session && send_all(info->tls_session, bytes, len) && linger_start(conn->server, conn->fd, NULL, 0))
        return true;
    shutdown(conn->fd, SHUT_RDWR);
    return false;
}
