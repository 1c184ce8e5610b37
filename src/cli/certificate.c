/* SPDX-License-Identifier: Apache-2.0 */
/* asnd certificate verify CODE --key FILE | rotate. The first needs no daemon and no database: who has the published keys can do it anywhere. */
#include "cli.h"

#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "asnd/certificate.h"

static int usage(void)
{
    fprintf(stderr, "usage: asnd certificate verify CODE --key FILE\n"
                    "       asnd certificate rotate\n"
                    "FILE is what GET /v1/certificates/keys answers. CODE may be the whole address of a QR code. That a code is signed "
                    "says that it was\n"
                    "given out, not that it was not revoked since: that is known to the daemon alone.\n");
    return 2;
}

static bool key_of(const json_t *key, uint8_t ret[CERTIFICATE_PUBLIC_LEN])
{
    const char *x = json_string_value(json_object_get(key, "x"));
    size_t n = 0;
    return x &&
           sodium_base642bin(ret, CERTIFICATE_PUBLIC_LEN, x, strlen(x), NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           n == CERTIFICATE_PUBLIC_LEN;
}

static bool is_signed_by_one(const json_t *keys, const char *code)
{
    uint8_t public_key[CERTIFICATE_PUBLIC_LEN];
    size_t i;
    const json_t *key;
    json_array_foreach(keys, i, key)
    {
        if (key_of(key, public_key) && certificate_is_signed(code, strlen(code), public_key))
            return true;
    }
    return false;
}

static int verify(const char *told, const char *file)
{
    const char *slash = strrchr(told, '/'), *code = slash ? slash + 1 : told;
    struct certificate_claim claim;
    json_error_t error;
    json_t *set = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    const json_t *keys = json_object_get(set, "keys");
    bool is_signed = json_is_array(keys) && certificate_read(code, strlen(code), &claim) && is_signed_by_one(keys, code);
    if (!json_is_array(keys))
        fprintf(stderr, "asnd certificate: %s holds no keys.\n", file);
    else if (is_signed)
        printf("signed: certificate %s, edition %d, key %s\n", claim.id, claim.edition, claim.key_id);
    else
        printf("not signed by any of these keys\n");
    json_decref(set);
    return is_signed ? 0 : 1;
}

static enum status in_transaction(struct ctx *ctx, struct db_conn *conn, void *cls)
{
    struct session *session = cls;
    char id[CERTIFICATE_KEY_ID_SIZE];
    enum status st = certificate_rotate(ctx, conn, session->set, id);
    if (st == ST_OK)
        printf("%s\n", id);
    return st;
}

static int rotate(struct session *session)
{
    if (!session_load_statements(session) || !session_connect_database(session))
        return 1;
    if (db_transaction(&session->ctx, session->conn, false, in_transaction, session) != ST_OK)
        return session_complain(session);
    return 0;
}

int cli_certificate(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        if (argc == 4 && strcmp(argv[0], "verify") == 0 && strcmp(argv[2], "--key") == 0)
            status = verify(argv[1], argv[3]);
        else if (argc == 1 && strcmp(argv[0], "rotate") == 0)
            status = rotate(&session);
        else
            status = usage();
    }
    session_close(&session);
    return status;
}
