/* SPDX-License-Identifier: Apache-2.0 */
/* Each library with the oldest version without a fault that is known and would matter here. Distributions mend faults without giving the library a new
 * number: what theirs hold is told by docs/security.md and by their own lists. */
#include "libraries.h"

#include <stdio.h>

#include <curl/curl.h>
#include <gmp.h>
#include <gnutls/gnutls.h>
#include <hpdf.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <microhttpd.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <qrencode.h>
#include <sodium.h>
#include <uv.h>
#include <xlsxwriter.h>
#include <xxhash.h>
#include <yaml.h>

#define VERSION_SIZE 64

static const char *of_pcre(void)
{
    static char text[VERSION_SIZE];
    return pcre2_config(PCRE2_CONFIG_VERSION, text) > 0 ? text : "";
}

static const char *of_curl(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

static const char *of_gnutls(void)
{
    return gnutls_check_version(NULL);
}

static const char *of_gmp(void)
{
    return gmp_version;
}

static const char *of_xxhash(void)
{
    static char text[VERSION_SIZE];
    snprintf(text, sizeof text, "%u.%u.%u", XXH_versionNumber() / 10000, XXH_versionNumber() / 100 % 100, XXH_versionNumber() % 100);
    return text;
}

static const char *of_libpq(void)
{
    static char text[VERSION_SIZE];
    snprintf(text, sizeof text, "%d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
    return text;
}

static const char *least_libpq(void)
{
    switch (PQlibVersion() / 10000) {
    case 15:
        return "15.15";
    case 16:
        return "16.11";
    case 17:
        return "17.7";
    default:
        return "18.1";
    }
}

static const char *of_qrencode(void)
{
    return QRcode_APIVersionString();
}

const struct library libraries[] = {
    {"libmicrohttpd", MHD_get_version, "0.9.71", "CVE-2021-3466"},
    {"libpq", of_libpq, NULL, "CVE-2025-12818", least_libpq},
    {"jansson", jansson_version_str, "2.8", "CVE-2016-4425"},
    {"libyaml", yaml_get_version_string, "0.1.6", "CVE-2014-2525"},
    {"pcre2", of_pcre, "10.40", "CVE-2022-1586"},
    {"gnutls", of_gnutls, "3.7.9", "CVE-2023-0361"},
    {"libcurl", of_curl, "7.88.0", "CVE-2023-23916"},
    {"libuv", uv_version_string, "1.41.1", "CVE-2021-22918"},
    {"libsodium", sodium_version_string},
    {"xxhash", of_xxhash},
    {"gmp", of_gmp},
    {"libxlsxwriter", lxw_version},
    {"libharu", HPDF_GetVersion},
    {"libqrencode", of_qrencode},
    {NULL},
};
