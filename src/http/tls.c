/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS by the daemon itself: the library does it, with GnuTLS. What is sent past the library has to go through the same session. */
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

bool tls_load(struct http_server *server)
{
    const char *fault;

    if (!server->config.tls_certificate || !*server->config.tls_certificate)
        return true;
    server->tls_certificate = read_pem(server->config.tls_certificate);
    server->tls_key = read_pem(server->config.tls_key ? server->config.tls_key : "");
    fault = find_fault(server->tls_certificate, server->tls_key);
    if (!fault)
        return true;
    log_line(LOG_ERROR_, "cannot-speak-tls", LOG_TEXT("reason", fault));
    tls_forget(server);
    return false;
}

void tls_forget(struct http_server *server)
{
    if (server->tls_key)
        gnutls_memset(server->tls_key, 0, strlen(server->tls_key));
    free(server->tls_key);
    free(server->tls_certificate);
    server->tls_key = NULL;
    server->tls_certificate = NULL;
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
