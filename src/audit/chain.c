/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: each entry has a digest, each block a hash over its digests and the hash before. An entry may be other than its digest says, if a later one, which is as it
 * was sealed, tells that it was redacted, from what to what. No I/O but the lines about faults. */
#include "asnd/audit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "asnd/log.h"
#include "asnd/text.h"

#define FAULTS_TOLD  100
#define CONTENT_TOLD 120

/* An entry that is not what was sealed; or what a redaction says of one. */
struct change {
    int64_t id, seq;
    uint8_t was[AUDIT_HASH_LEN], is[AUDIT_HASH_LEN];
    char told[CONTENT_TOLD + 1];
};

struct changes {
    struct change *all;
    size_t n, cap;
};

struct audit_check {
    FILE *out;
    struct audit_known known;
    bool has_known; /* the known seal was met, and is as it was */
    struct audit_report report;
    int64_t next; /* the place that must come; 0: the first may be any, when the file begins later */
    int64_t block_first;
    uint8_t *digests; /* of the block so far */
    size_t n, cap;
    struct changes found, redacted;
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

static struct change *change_add(struct changes *list)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->all = realloc(list->all, list->cap * sizeof *list->all);
        if (!list->all)
            die_no_memory();
    }
    memset(&list->all[list->n], 0, sizeof *list->all);
    return &list->all[list->n++];
}

static bool hash_from_hex(const char *hex, uint8_t ret[AUDIT_HASH_LEN])
{
    size_t n = 0;
    return hex && sodium_hex2bin(ret, AUDIT_HASH_LEN, hex, strlen(hex), NULL, &n, NULL) == 0 && n == AUDIT_HASH_LEN;
}

static json_t *entry_json(const struct audit_place *place)
{
    return json_loadb(place->content, place->content_len, 0, NULL);
}

static bool all_stars(const json_t *members)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)members, name, value)
    {
        const char *text = json_string_value(value);
        if (!text || strcmp(text, "***") != 0)
            return false;
    }
    return true;
}

/* What is left of a redacted entry tells no value, so that none can be put in under the name of a redaction. */
static bool is_bare(const json_t *entry)
{
    const char *reason = json_string_value(json_object_get(entry, "reason")),
               *purpose = json_string_value(json_object_get(entry, "purpose"));
    return json_is_true(json_object_get(entry, "redacted")) && all_stars(json_object_get(entry, "before")) &&
           all_stars(json_object_get(entry, "after")) && all_stars(json_object_get(entry, "filter")) &&
           (!reason || strcmp(reason, "***") == 0) && (!purpose || strcmp(purpose, "***") == 0);
}

/* Whether it was redacted is known when the whole chain has been seen: what tells of it comes later. */
static bool may_be_redacted(struct audit_check *c, const struct audit_place *place, const uint8_t was[AUDIT_HASH_LEN],
                            const uint8_t is[AUDIT_HASH_LEN])
{
    json_t *entry = entry_json(place);
    bool fine = is_bare(entry);
    if (fine) {
        struct change *change = change_add(&c->found);
        change->id = json_integer_value(json_object_get(entry, "id"));
        change->seq = place->seq;
        memcpy(change->was, was, AUDIT_HASH_LEN);
        memcpy(change->is, is, AUDIT_HASH_LEN);
        snprintf(change->told, sizeof change->told, "%s", place->content);
    }
    json_decref(entry);
    return fine;
}

/* Redactions that an entry tells of, which is as it was sealed. */
static void take_redactions(struct audit_check *c, const struct audit_place *place)
{
    static const char word[] = ",\"action\":\"redact\"";
    const char *action;
    json_t *entry, *one;
    size_t i;
    if (!strstr(place->content, word))
        return;
    entry = entry_json(place);
    action = json_string_value(json_object_get(entry, "action"));
    if (action && strcmp(action, "redact") == 0) {
        c->report.redactions++;
        json_array_foreach(json_object_get(entry, "redacted"), i, one)
        {
            struct change told = {.id = json_integer_value(json_array_get(one, 0))};
            if (hash_from_hex(json_string_value(json_array_get(one, 1)), told.was) &&
                hash_from_hex(json_string_value(json_array_get(one, 2)), told.is))
                *change_add(&c->redacted) = told;
        }
    }
    json_decref(entry);
}

static void check_entry(struct audit_check *c, const struct audit_place *place)
{
    uint8_t told[AUDIT_HASH_LEN] = {0}, found[AUDIT_HASH_LEN];
    bool is_hash = hash_from_hex(place->digest, told), is_same;
    keep(c, told);
    c->report.entries++;
    if (!place->content) {
        fault(c, "removed: the entry at place %" PRId64 " is gone", place->seq);
        return;
    }
    crypto_hash_sha256(found, (const uint8_t *)place->content, place->content_len);
    is_same = is_hash && memcmp(found, told, sizeof told) == 0;
    if (is_same)
        take_redactions(c, place);
    if (!is_same && !(is_hash && may_be_redacted(c, place, told, found)))
        fault(c, "changed: the entry at place %" PRId64 " is not what it was: %.*s", place->seq, CONTENT_TOLD, place->content);
    else if (place->prefix && (place->content_len < place->prefix_len || memcmp(place->content, place->prefix, place->prefix_len) != 0))
        fault(c, "changed: the entry at place %" PRId64 " is found by other words than it holds", place->seq);
}

static int by_id(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    int order = (x->id > y->id) - (x->id < y->id);
    order = order ? order : memcmp(x->was, y->was, AUDIT_HASH_LEN);
    return order ? order : memcmp(x->is, y->is, AUDIT_HASH_LEN);
}

static int by_place(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static void settle_changes(struct audit_check *c)
{
    struct changes *found = &c->found, *redacted = &c->redacted;
    if (redacted->n > 0)
        qsort(redacted->all, redacted->n, sizeof *redacted->all, by_id);
    if (found->n > 0)
        qsort(found->all, found->n, sizeof *found->all, by_place);
    for (size_t i = 0; i < found->n; i++) {
        if (redacted->n > 0 && bsearch(&found->all[i], redacted->all, redacted->n, sizeof *redacted->all, by_id))
            c->report.redacted++;
        else
            fault(c, "changed: the entry at place %" PRId64 " is not what it was, and no sealed entry tells of its redaction: %s",
                  found->all[i].seq, found->all[i].told);
    }
    free(found->all);
    free(redacted->all);
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
    settle_changes(c);
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
