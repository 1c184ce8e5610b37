/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: each entry has a digest, each block a hash over its digests and the hash before. No I/O but the lines about faults. */
#include "asnd/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "asnd/log.h"
#include "asnd/text.h"

#define FAULTS_TOLD 100

struct audit_check {
    FILE *out;
    struct audit_known known;
    bool has_known; /* the known seal was met, and is as it was */
    struct audit_report report;
    int64_t next; /* the place that must come; 0: the first may be any, when the file begins later */
    int64_t block_first;
    uint8_t *digests; /* of the block so far */
    size_t n, cap;
};

static void PRINTF_LIKE(2, 3) fault(struct audit_check *c, const char *fmt, ...)
{
    va_list ap;
    if (++c->report.faults > FAULTS_TOLD)
        return;
    va_start(ap, fmt);
    vfprintf(c->out, fmt, ap);
    va_end(ap);
    fputc('\n', c->out);
}

bool audit_known_parse(const char *text, struct audit_known *ret)
{
    char *end;
    ret->number = strtoll(text, &end, 10);
    if (ret->number < 1 || *end != ':' || strlen(end + 1) != AUDIT_HEX_SIZE - 1 ||
        strspn(end + 1, "0123456789abcdef") != AUDIT_HEX_SIZE - 1)
        return false;
    memcpy(ret->hash, end + 1, AUDIT_HEX_SIZE);
    return true;
}

struct audit_check *audit_check_new(FILE *out, const struct audit_known *known)
{
    struct audit_check *c = calloc(1, sizeof *c);
    if (!c)
        die_no_memory();
    c->out = out;
    c->known = *known;
    return c;
}

static void keep(struct audit_check *c, const uint8_t digest[AUDIT_HASH_LEN])
{
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 1024;
        c->digests = realloc(c->digests, c->cap * AUDIT_HASH_LEN);
        if (!c->digests)
            die_no_memory();
    }
    memcpy(c->digests + c->n++ * AUDIT_HASH_LEN, digest, AUDIT_HASH_LEN);
}

static void check_entry(struct audit_check *c, const struct audit_place *place)
{
    uint8_t told[AUDIT_HASH_LEN] = {0}, found[AUDIT_HASH_LEN];
    size_t n = 0;
    sodium_hex2bin(told, sizeof told, place->digest, strlen(place->digest), NULL, &n, NULL);
    keep(c, told);
    c->report.entries++;
    if (!place->content) {
        fault(c, "removed: the entry at place %" PRId64 " is gone", place->seq);
        return;
    }
    crypto_hash_sha256(found, (const uint8_t *)place->content, place->content_len);
    if (n != sizeof told || memcmp(found, told, sizeof told) != 0)
        fault(c, "changed: the entry at place %" PRId64 " is not what it was: %.120s", place->seq, place->content);
    else if (place->prefix && (place->content_len < place->prefix_len || memcmp(place->content, place->prefix, place->prefix_len) != 0))
        fault(c, "changed: the entry at place %" PRId64 " is found by other words than it holds", place->seq);
}

static void hash_of(const struct audit_check *c, const struct audit_seal *s, char ret[AUDIT_HEX_SIZE])
{
    crypto_hash_sha256_state state;
    uint8_t hash[AUDIT_HASH_LEN];
    char head[400];
    int len = snprintf(head, sizeof head, "asnd audit seal 1\n%" PRId64 "\n%s\n%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n%s\n", s->number,
                       s->at, s->first, s->last, s->settled, s->previous);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)head, len < (int)sizeof head ? (unsigned long long)len : sizeof head - 1);
    if (c->n > 0)
        crypto_hash_sha256_update(&state, c->digests, c->n * AUDIT_HASH_LEN);
    crypto_hash_sha256_final(&state, hash);
    hex_encode(hash, sizeof hash, ret);
}

static void check_seal(struct audit_check *c, const struct audit_seal *s)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    const char *before = c->report.seals ? c->report.last_hash : s->number == 1 ? zeros : s->previous;
    char hash[AUDIT_HEX_SIZE];
    if (c->report.seals && s->number != c->report.last_number + 1)
        fault(c, "removed: after seal %" PRId64 " comes seal %" PRId64, c->report.last_number, s->number);
    if (strcmp(s->previous, before) != 0)
        fault(c, "changed: seal %" PRId64 " does not go on from the one before", s->number);
    hash_of(c, s, hash);
    if (s->first != c->block_first || s->last - s->first + 1 != (int64_t)c->n)
        fault(c, "removed or put in: seal %" PRId64 " covers %" PRId64 " places, and %zu are there", s->number, s->last - s->first + 1,
              c->n);
    if (strcmp(hash, s->hash) != 0)
        fault(c,
              "changed, reordered, removed or put in: the block of seal %" PRId64 " (places %" PRId64 " to %" PRId64
              ") is not what was sealed",
              s->number, s->first, s->last);
    if (s->number == c->known.number)
        c->has_known = strcmp(s->hash, c->known.hash) == 0;
    c->report.seals++;
    c->report.last_number = s->number;
    snprintf(c->report.last_hash, sizeof c->report.last_hash, "%s", s->hash);
    c->n = 0;
}

void audit_check_place(struct audit_check *c, const struct audit_place *place)
{
    if (c->next && place->seq != c->next)
        fault(c, "removed or reordered: place %" PRId64 " comes where place %" PRId64 " must", place->seq, c->next);
    c->next = place->seq + 1;
    if (c->n == 0)
        c->block_first = place->seq;
    check_entry(c, place);
    if (place->seal)
        check_seal(c, place->seal);
}

void audit_check_end(struct audit_check *c, struct audit_report *ret)
{
    if (c->n > 0)
        fault(c, "cut off: the places from %" PRId64 " on have no seal", c->block_first);
    if (c->known.number && !c->has_known)
        fault(c, "cut off or rewritten: seal %" PRId64 " as it was published is not there", c->known.number);
    if (c->report.faults > FAULTS_TOLD)
        fprintf(c->out, "… and %" PRId64 " more\n", c->report.faults - FAULTS_TOLD);
    *ret = c->report;
    free(c->digests);
    free(c);
}
