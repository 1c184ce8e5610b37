/* SPDX-License-Identifier: Apache-2.0 */
/* Reads at a standby (docs/decisions/0023-reads-at-a-standby.md), for callers who send a position. Each loop has connections of its own to it, and of each it knows, from
 * asking there, how far that very server has replayed. How old that is says no standby, as one that is cut off believes itself up to date: the loop notes where the primary was and
 * when, and a standby that has come as far is no older. Whatever is not known, or fails, is the primary's to answer. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "asnd/date.h"
#include "asnd/log.h"
#include "standby.h"

#define ASK_US       (100 * 1000)
#define PATIENCE_US  (1000 * 1000) /* beyond the lag that is allowed: then a connection that does not answer is given up */
#define RECONNECT_US (1000 * 1000)
#define TELL_US      (1000 * 1000) /* a change must last that long to be worth a line */
#define DATABASE_MAX 64

/* What a server says of itself. */
struct place {
    bool is_standby;
    struct position position;
    char database[DATABASE_MAX]; /* that of another system has other numbers */
};

/* One connection to a standby. */
struct replica {
    struct replica *next;
    struct replicas *all;
    struct db_loop *db;
    struct db_request ask;
    bool is_asking;
    int64_t asked_us;
    unsigned asked_of, known_of; /* db_loop_connects: whom that was asked, and of whom the rest is known */
    struct position position;    /* it has at least that */
    int64_t as_of_us;            /* and what the primary had then; 0: not known */
    int64_t reconnected_us;
    const char *why; /* it is not used; NULL: it may be */
};

struct replicas {
    struct engine_loop *loop;
    const char *url; /* NULL: none so far */
    int64_t connections;
    struct replica *first;
    struct place primary;
    bool knows_primary, is_asking;
    struct db_request ask;
    int64_t asked_us;
    struct marks marks;
    int64_t began_us, changed_us;
    bool is_used, was_told_used, has_told; /* what the log says */
};

static int64_t lag_limit_us(const struct replicas *all)
{
    return all->loop->engine->settings->replica_lag_ms * 1000;
}

/* ── asking ── */

static bool place_read(const PGresult *res, struct place *ret)
{
    *ret = (struct place){.is_standby = *PQgetvalue(res, 0, 0) == 't'};
    ret->position.timeline = (uint32_t)strtoul(PQgetvalue(res, 0, 2), NULL, 10);
    snprintf(ret->database, sizeof ret->database, "%s", PQgetvalue(res, 0, 3));
    return position_parse_lsn(PQgetvalue(res, 0, 1), &ret->position.at);
}

struct db_request replica_question(const struct engine *engine, void (*done)(struct db_request *, enum db_outcome, PGresult *), void *cls)
{
    return (struct db_request){.variant = statement_variant(sql_set_find(engine->set, "replica.place"), 0, 0, VARIANT_PLAIN),
                               .units = DB_EVERYTHING,
                               .done = done,
                               .cls = cls};
}

/* What was known of standbys was known beside another history. */
static void forget_all(struct replicas *all)
{
    all->marks.n = 0;
    for (struct replica *r = all->first; r; r = r->next)
        r->as_of_us = 0;
}

static void primary_told(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct replicas *all = db->cls;
    struct place place;
    all->is_asking = false;
    if (outcome != DB_OK || !place_read(res, &place) || place.is_standby)
        return;
    if (!all->knows_primary || place.position.timeline != all->primary.position.timeline ||
        strcmp(place.database, all->primary.database) != 0)
        forget_all(all);
    all->primary = place;
    all->knows_primary = true;
    marks_put(&all->marks, place.position.at, all->asked_us);
}

/* More seldom where more may be forgiven, so that the marks reach back that far. */
static void ask_primary(struct replicas *all, int64_t now)
{
    int64_t every = lag_limit_us(all) / (MARKS / 2);
    if (all->is_asking || now - all->asked_us < (every > ASK_US ? every : ASK_US) || !db_loop_is_up(all->loop->db))
        return;
    all->is_asking = true;
    all->asked_us = now;
    all->ask = replica_question(all->loop->engine, primary_told, all);
    db_loop_submit(all->loop->db, &all->ask);
}

/* Perhaps there is another one behind the address. */
static void look_for_another(struct replica *r, int64_t now)
{
    if (now - r->reconnected_us < RECONNECT_US)
        return;
    r->reconnected_us = now;
    db_loop_reconnect(r->db);
}

static const char *fault_of(const struct replicas *all, const struct place *place)
{
    if (!place->is_standby)
        return "it is no standby";
    if (!all->knows_primary)
        return "the primary is not known";
    if (strcmp(place->database, all->primary.database) != 0)
        return "it is of another database";
    return place->position.timeline != all->primary.position.timeline ? "it is not known to be on the primary's timeline" : NULL;
}

static void replica_told(struct db_request *db, enum db_outcome outcome, PGresult *res)
{
    struct replica *r = db->cls;
    struct place place;
    r->is_asking = false;
    if (outcome != DB_OK || !place_read(res, &place) || db_loop_connects(r->db) != r->asked_of)
        return;
    r->why = fault_of(r->all, &place);
    if (r->why || r->known_of != r->asked_of)
        r->as_of_us = 0;
    r->known_of = r->asked_of;
    r->position = place.position;
    if (!r->why) {
        int64_t as_of = marks_time(&r->all->marks, place.position.at);
        r->as_of_us = as_of > r->as_of_us ? as_of : r->as_of_us;
    }
    if (!place.is_standby)
        look_for_another(r, clock_mono_us());
}

static void ask_replica(struct replica *r, int64_t now)
{
    if (r->is_asking) {
        if (now - r->asked_us > lag_limit_us(r->all) + PATIENCE_US)
            look_for_another(r, now);
        return;
    }
    if (now - r->asked_us < ASK_US || !db_loop_is_up(r->db))
        return;
    r->is_asking = true;
    r->asked_us = now;
    r->asked_of = db_loop_connects(r->db);
    r->ask = replica_question(r->all->loop->engine, replica_told, r);
    db_loop_submit(r->db, &r->ask);
}

/* ── choosing ── */

static bool is_there(const struct replica *r)
{
    return db_loop_is_up(r->db) && r->as_of_us && r->known_of == db_loop_connects(r->db);
}

static bool is_fresh(const struct replica *r, int64_t now)
{
    return is_there(r) && now - r->as_of_us <= lag_limit_us(r->all);
}

struct db_loop *replica_for(struct replicas *all, struct position wanted, enum passed_over *ret_why)
{
    const int64_t now = clock_mono_us();
    struct db_loop *best = NULL;
    *ret_why = PASSED_AWAY;
    for (const struct replica *r = all->first; r; r = r->next) {
        enum passed_over why = !is_there(r) ? PASSED_AWAY : !is_fresh(r, now) ? PASSED_STALE : PASSED_BEHIND;
        if (why == PASSED_BEHIND && position_has(r->position, wanted)) {
            if (!best || db_loop_depth(r->db) < db_loop_depth(best))
                best = r->db;
        } else if (why > *ret_why) {
            *ret_why = why;
        }
    }
    return best;
}

bool replicas_wanted(const struct replicas *all)
{
    return all->first != NULL;
}

/* ── life ── */

static void replica_closed(void *cls)
{
    free(cls);
}

static void close_all(struct replicas *all)
{
    struct replica *next;
    for (struct replica *r = all->first; r; r = next) {
        next = r->next;
        db_loop_close(r->db, replica_closed, r);
    }
    all->first = NULL;
}

static void open_one(struct replicas *all, const struct settings *s)
{
    struct replica *r = calloc(1, sizeof *r);
    struct db_config config = {.conninfo = s->replica_url,
                               .connections = 1,
                               .queue_limit = (int)s->queue_limit,
                               .statement_timeout_ms = (int)s->statement_timeout_ms,
                               .holds_units = all->loop->engine->holds_units,
                               .utc_offset_minutes = (int)s->utc_offset_minutes,
                               .session_attrs = "standby",
                               .application_name = "asnd replica"};
    if (!r)
        die_no_memory();
    *r = (struct replica){.next = all->first, .all = all, .db = db_loop_new(&all->loop->uv, &config), .why = "it does not answer"};
    all->first = r;
}

/* As the settings have it, which may be others than a moment ago. */
static void heed_settings(struct replicas *all)
{
    const struct settings *s = all->loop->engine->settings;
    if (all->url && strcmp(all->url, s->replica_url) == 0 && all->connections == s->replica_connections)
        return;
    close_all(all);
    all->url = s->replica_url; /* settings stay as long as the process */
    all->connections = s->replica_connections;
    all->began_us = all->changed_us = clock_mono_us();
    all->is_used = all->was_told_used = all->has_told = false;
    for (int64_t i = 0; *s->replica_url && i < s->replica_connections; i++)
        open_one(all, s);
}

/* Of the freshest. */
static int64_t as_of(const struct replicas *all)
{
    int64_t newest = 0;
    for (const struct replica *r = all->first; r; r = r->next)
        if (is_there(r) && r->as_of_us > newest)
            newest = r->as_of_us;
    return newest;
}

static const char *why_not(const struct replicas *all)
{
    for (const struct replica *r = all->first; r; r = r->next)
        if (db_loop_is_up(r->db) && r->known_of == db_loop_connects(r->db))
            return r->why ? r->why : "it is too old";
    return "it does not answer";
}

static void tell(struct replicas *all, int64_t now)
{
    bool is_used = as_of(all) && now - as_of(all) <= lag_limit_us(all);
    if (is_used != all->is_used)
        all->changed_us = now;
    all->is_used = is_used;
    if ((all->has_told && is_used == all->was_told_used) || now - all->changed_us < TELL_US)
        return;
    all->was_told_used = is_used;
    all->has_told = true;
    if (is_used)
        log_line(LOG_INFO_, "replica-used", LOG_NUM("loop", all->loop->number));
    else
        log_line(LOG_WARNING_, "replica-not-used", LOG_NUM("loop", all->loop->number), LOG_TEXT("reason", why_not(all)));
}

void replica_tick(struct replicas *all)
{
    const int64_t now = clock_mono_us();
    if (all->loop->phase >= PHASE_END)
        return;
    heed_settings(all);
    if (all->first)
        ask_primary(all, now);
    for (struct replica *r = all->first; r; r = r->next)
        ask_replica(r, now);
    if (all->first)
        tell(all, now);
    if (as_of(all))
        all->began_us = as_of(all);
    atomic_store(&all->loop->replica_as_of_us, all->first ? all->began_us : 0);
    atomic_store(&all->loop->replica_is_used, all->is_used);
}

struct replicas *replicas_new(struct engine_loop *loop)
{
    struct replicas *all = calloc(1, sizeof *all);
    if (!all)
        die_no_memory();
    all->loop = loop;
    return all;
}

void replicas_close(struct replicas *all)
{
    close_all(all);
}

void replicas_free(struct replicas *all)
{
    free(all);
}
