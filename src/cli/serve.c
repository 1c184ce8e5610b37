/* SPDX-License-Identifier: Apache-2.0 */
/* asnd serve: check everything, then listen; stop in steps. Nothing is served before contract, statements and schema agree. */
#include "cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>
#include <uv.h>

#include "asnd/arena.h"
#include "asnd/date.h"
#include "asnd/engine.h"
#include "asnd/log.h"

#ifdef ASND_SYSTEMD
#include <systemd/sd-daemon.h>
#else
#define SD_LISTEN_FDS_START              3
#define sd_notify(unset, state)          ((void)(state))
#define sd_listen_fds(unset)             0
#define sd_watchdog_enabled(unset, usec) ((void)(usec), 0)
#endif

#define START_PATIENCE_MS 15000

static bool connect_database(struct session *session)
{
    struct db_config config = {.conninfo = session->settings.database_url,
                               .application_name = "asnd start",
                               .utc_offset_minutes = (int)session->settings.utc_offset_minutes};
    return db_connect(&session->ctx, &config, &session->conn) == ST_OK;
}

/* The database may come up a moment after us. */
static bool connect_patiently(struct session *session)
{
    int64_t give_up = clock_mono_ms() + START_PATIENCE_MS;
    useconds_t pause = 50000;
    while (!session->conn && !connect_database(session)) {
        if (clock_mono_ms() > give_up) {
            session_complain(session);
            return false;
        }
        usleep(pause);
        pause = pause < 500000 ? pause * 2 : pause;
        problem_clear(&session->ctx);
    }
    return true;
}

static bool read_secret(struct session *session, uint8_t ret[32])
{
    PGresult *res;
    size_t len = 0;
    if (db_query(&session->ctx, session->conn, session->set, "auth.cursorSecret", &res, NULL) != ST_OK) {
        session_complain(session);
        return false;
    }
    if (PQntuples(res) == 1)
        sodium_hex2bin(ret, 32, PQgetvalue(res, 0, 0), strlen(PQgetvalue(res, 0, 0)), NULL, &len, NULL);
    if (len != 32)
        fprintf(stderr, "asnd: the table instance_secret has no usable row \"cursor\".\n");
    return len == 32;
}

/* Whether callers are held to their units a second time, by the server. False: they must be, and cannot. */
static bool choose_row_security(struct session *session, bool *ret_holds)
{
    const char *wanted = session->settings.row_security;
    PGresult *faults, *privileges;
    if (db_query(&session->ctx, session->conn, session->set, "rows.faults", &faults, NULL) != ST_OK ||
        db_query(&session->ctx, session->conn, session->set, "rows.privileges", &privileges, NULL) != ST_OK) {
        session_complain(session);
        return false;
    }
    for (int i = 0; i < PQntuples(privileges); i++)
        log_line(LOG_WARNING_, "database-role", LOG_TEXT("what", PQgetvalue(privileges, i, 0)));
    *ret_holds = strcmp(wanted, "off") != 0 && PQntuples(faults) == 0;
    if (!*ret_holds)
        log_line(LOG_WARNING_, "row-security-off", LOG_TEXT("reason", PQntuples(faults) > 0 ? PQgetvalue(faults, 0, 0) : "row_security"));
    if (*ret_holds || strcmp(wanted, "require") != 0)
        return true;
    for (int i = 0; i < PQntuples(faults); i++)
        fprintf(stderr, "asnd: row_security is required: %s.\n", PQgetvalue(faults, i, 0));
    return false;
}

/* Everything that must agree before the first request. */
static bool prepare(struct session *session, uint8_t secret[32], bool *ret_holds_units)
{
    size_t n;
    const struct migration *migrations = session_migrations(&n);
    struct checked checked;
    bool fine, was_checked;
    if (!session_begin_contract(session))
        return false;
    fine = session_load_statements(session);
    if (fine && !connect_database(session))
        problem_clear(&session->ctx);
    fine &= session_end_contract(session);
    if (!fine || !connect_patiently(session))
        return false;
    if (migrate_check(&session->ctx, session->conn, migrations, n) != ST_OK) {
        session_complain(session);
        return false;
    }
    was_checked = session_find_checked(session, &checked);
    if (!session_check(session, was_checked ? CHECK_PROGRAM : CHECK_PARTS)) {
        fprintf(stderr, "asnd: contract, statements and schema do not agree; nothing is served.\n");
        return false;
    }
    if (!was_checked)
        session_note_checked(session, &checked);
    if (!session_same_keys(session, true))
        return false;
    if (!choose_row_security(session, ret_holds_units) || !read_secret(session, secret))
        return false;
    db_disconnect(session->conn);
    session->conn = NULL;
    return true;
}

struct stop {
    uv_loop_t loop;
    struct engine *engine;
    const struct session *session;
    int64_t asked_ms; /* 0: nobody has */
    bool is_draining;
    uv_timer_t timer, watchdog;
    uv_signal_t term, interrupt, hangup;
};

static void finish(struct stop *stop)
{
    uv_close((uv_handle_t *)&stop->timer, NULL);
    uv_close((uv_handle_t *)&stop->watchdog, NULL);
    uv_close((uv_handle_t *)&stop->term, NULL);
    uv_close((uv_handle_t *)&stop->interrupt, NULL);
    uv_close((uv_handle_t *)&stop->hangup, NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct stop *stop = timer->data;
    const struct settings *settings = engine_settings(stop->engine);
    int64_t since = clock_mono_ms() - stop->asked_ms;
    if (!stop->is_draining && since >= settings->stop_delay_ms) {
        stop->is_draining = true;
        engine_drain(stop->engine);
    } else if (stop->is_draining && (engine_is_idle(stop->engine) || since >= settings->stop_delay_ms + settings->stop_timeout_ms)) {
        finish(stop);
    }
}

static void reload_now(const struct stop *stop)
{
    char text[64];
    if (stop->asked_ms)
        return;
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
    sd_notify(0, text);
    reload(stop->session, stop->engine);
    sd_notify(0, "READY=1");
}

/* First signal: not ready, then no new connections, then wait. Second: cut. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct stop *stop = handle->data;
    if (number == SIGHUP) {
        reload_now(stop);
        return;
    }
    if (stop->asked_ms) {
        log_line(LOG_WARNING_, "cutting", LOG_NUM("signal", number));
        finish(stop);
        return;
    }
    log_line(LOG_INFO_, "stopping", LOG_NUM("signal", number));
    sd_notify(0, "STOPPING=1");
    stop->asked_ms = clock_mono_ms();
    engine_set_stopping(stop->engine);
    uv_timer_start(&stop->timer, on_timer, 0, 10);
}

/* The service manager hears of us as long as every loop turns: one that hangs has us started anew. */
static void on_watchdog(uv_timer_t *timer)
{
    struct stop *stop = timer->data;
    if (engine_turns(stop->engine))
        sd_notify(0, "WATCHDOG=1");
}

static void feed_watchdog(struct stop *stop)
{
    uint64_t usec = 0;
    if (sd_watchdog_enabled(0, &usec) > 0)
        uv_timer_start(&stop->watchdog, on_watchdog, 0, usec / 3000);
}

/* Signals that come from here on are answered as soon as the loop runs: whoever gets an answer, or reads READY=1, may send one at once. */
static void heed_signals(struct stop *stop)
{
    uv_loop_init(&stop->loop);
    uv_timer_init(&stop->loop, &stop->timer);
    uv_timer_init(&stop->loop, &stop->watchdog);
    uv_signal_init(&stop->loop, &stop->term);
    uv_signal_init(&stop->loop, &stop->interrupt);
    uv_signal_init(&stop->loop, &stop->hangup);
    stop->timer.data = stop->watchdog.data = stop->term.data = stop->interrupt.data = stop->hangup.data = stop;
    uv_signal_start(&stop->term, on_signal, SIGTERM);
    uv_signal_start(&stop->interrupt, on_signal, SIGINT);
    uv_signal_start(&stop->hangup, on_signal, SIGHUP);
}

/* A socket from whoever started us (LISTEN_FDS) outlives us: who comes between two daemons waits in its queue instead of being refused. */
static void take_socket(struct engine *engine)
{
    int n = sd_listen_fds(1);
    if (n > 0)
        engine_inherit(engine, SD_LISTEN_FDS_START);
    if (n > 1)
        log_line(LOG_WARNING_, "sockets-left", LOG_TEXT("reason", "one listening socket is taken, more were handed over"),
                 LOG_NUM("given", n));
}

/* Until a signal says otherwise; false when it could not begin. */
static bool serve(struct engine *engine, const struct session *session, int64_t began_us)
{
    const struct settings *settings = &session->settings;
    struct stop stop = {.engine = engine, .session = session};
    bool begun;
    heed_signals(&stop);
    begun = engine_start(engine);
    if (begun) {
        log_line(LOG_INFO_, "listening", LOG_TEXT("address", settings->listen), LOG_NUM("port", engine_port(engine)),
                 LOG_FLAG("tls", *settings->tls_certificate != '\0'), LOG_TEXT("version", ASND_VERSION),
                 LOG_US("start_ms", clock_mono_us() - began_us));
        sd_notify(0, "READY=1");
        session_leave_texts();
        feed_watchdog(&stop);
    } else {
        finish(&stop);
    }
    uv_run(&stop.loop, UV_RUN_DEFAULT);
    uv_loop_close(&stop.loop);
    if (begun) {
        engine_stop(engine);
        log_line(LOG_INFO_, "stopped", LOG_NUM("pid", getpid()));
    }
    return begun;
}

int cli_serve(int argc, char **argv)
{
    struct session session;
    struct engine *engine = NULL;
    uint8_t secret[32];
    bool holds_units = false;
    int64_t began = clock_mono_us();
    int status = 2;
    signal(SIGPIPE, SIG_IGN);
    reload_note_flags(argc, argv);
    if (session_open(&session, &argc, argv)) {
        if (argc > 0)
            fprintf(stderr, "usage: asnd serve [--setting value]…\n`asnd config` lists the settings; \"%s\" is none of them.\n", argv[0]);
        else
            status = 1;
    }
    if (status == 1 && prepare(&session, secret, &holds_units))
        engine = engine_new(&session.settings, session.contract, session.matrix, session.set, asnd_bindings, secret, stderr);
    if (engine && holds_units)
        engine_hold_units(engine);
    if (engine) {
        take_socket(engine);
        reload_begin_counting();
    }
    if (engine && serve(engine, &session, began))
        status = 0;
    engine_free(engine);
    session_close(&session);
    return status;
}
