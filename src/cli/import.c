/* SPDX-License-Identifier: Apache-2.0 */
/* asnd import asn|units|references|history|presence|standards|assessments|questionnaires|tickets|answers FILE|- [--dry-run] [--rejects FILE]: the same importer as the API's, without a network in between.
 * asnd import --undo ID --reason TEXT [--dry-run]: takes one back, as undoImport does. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asnd/arena.h"
#include "asnd/asn.h"
#include "asnd/log.h"
#include "asnd/performance.h"
#include "asnd/reference.h"
#include "asnd/service.h"
#include "asnd/stream.h"
#include "asnd/training.h"
#include "asnd/uuid.h"

struct source {
    int in, rejects;
    const char *file;
    bool dry_run;
    const struct import_kind *kind;
    const struct session *session;
    const char *undo, *reason; /* the import to take back, and why */
    struct import_report report;
};

static int usage(void)
{
    fprintf(stderr, "usage: asnd import asn|units|references|history|presence|standards|assessments|questionnaires|tickets|answers FILE|- "
                    "[--dry-run] [--rejects FILE]\n"
                    "       asnd import --undo ID --reason TEXT [--dry-run]\n"
                    "FILE is CSV, or NDJSON when its name ends in .ndjson or .jsonl.\n");
    return 2;
}

static ptrdiff_t read_in(void *cls, char *dst, size_t cap)
{
    struct source *source = cls;
    ssize_t n;
    do
        n = read(source->in, dst, cap);
    while (n < 0 && errno == EINTR);
    return n;
}

static bool write_rejects(void *cls, const char *bytes, size_t len)
{
    struct source *source = cls;
    while (len) {
        ssize_t n = write(source->rejects, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

static enum status run(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    struct source *source = cls;
    bool is_ndjson = ends_with(source->file, ".ndjson") || ends_with(source->file, ".jsonl");
    const char *slash = strrchr(source->file, '/');
    struct import_options options = {.dry_run = source->dry_run,
                                     .is_ndjson = is_ndjson,
                                     .file_name = slash ? slash + 1 : source->file,
                                     .rejects_type = is_ndjson ? "application/x-ndjson" : "text/csv",
                                     .rejects = source->rejects >= 0 ? write_rejects : NULL,
                                     .rejects_cls = source,
                                     .cls = source->session->contract};
    enum status st = import_run(ctx, txn, source->session->set, source->kind, &options, read_in, source, &source->report);
    if (st == ST_RETRY) /* the input is read already */
        st = fail(ctx, ST_UNAVAILABLE, "unavailable", "Another writer was in the way; run it again.", "Ada penulis lain; jalankan lagi.");
    return st;
}

static void print_faults(const struct session *session, int64_t refused)
{
    const struct problem *problem = &session->ctx.problem;
    if (!problem->first_fault)
        return;
    fprintf(stderr, "The first refused rows (of %lld):\n", (long long)refused);
    for (const struct fault *f = problem->first_fault; f; f = f->next)
        fprintf(stderr, "  line %lld%s%s: %s: %s%s%s\n", (long long)f->line, f->where ? ", " : "", f->where ? f->where : "", f->code,
                f->detail, f->suggestion ? " → " : "", f->suggestion ? f->suggestion : "");
}

static int import(struct session *session, struct source *source)
{
    enum status st;
    const struct import_report *r = &source->report;
    if (!session_load_contract(session) || !session_load_statements(session) || !session_connect_database(session) ||
        !session_same_keys(session, !source->dry_run))
        return 1;
    st = db_transaction(&session->ctx, session->conn, source->dry_run, run, source);
    if (st != ST_OK)
        return session_complain(session);
    print_faults(session, r->refused);
    printf("%s: %lld rows: %lld created, %lld updated, %lld unchanged, %lld refused (%lld repaired, %lld warnings)\n",
           source->dry_run ? "dry run" : r->id, (long long)r->rows, (long long)r->created, (long long)r->updated, (long long)r->unchanged,
           (long long)r->refused, (long long)r->repaired, (long long)r->warnings);
    return 0;
}

static enum status run_undo(struct ctx *ctx, struct db_conn *txn, void *cls)
{
    struct source *source = cls;
    return import_undo(ctx, txn, source->session->set, source->undo, source->reason, NULL);
}

static int undo(struct session *session, struct source *source)
{
    if (!session_load_contract(session) || !session_load_statements(session) || !session_connect_database(session))
        return 1;
    if (db_transaction(&session->ctx, session->conn, source->dry_run, run_undo, source) != ST_OK)
        return session_complain(session);
    printf("%s: %s\n", source->undo, source->dry_run ? "could be undone" : "undone");
    return 0;
}

static const struct import_kind *kind_called(const char *word)
{
    static const struct {
        const char *word;
        const struct import_kind *kind;
    } kinds[] = {{"asn", &import_asn},
                 {"units", &import_units},
                 {"references", &import_references},
                 {"history", &import_history},
                 {"tickets", &import_tickets},
                 {"answers", &import_survey_answers},
                 {"presence", &import_presence},
                 {"standards", &import_competency_standards},
                 {"assessments", &import_competency_assessments},
                 {"questionnaires", &import_questionnaires}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].word, word) == 0)
            return kinds[i].kind;
    return NULL;
}

static bool parse_undo(int argc, char **argv, struct source *source)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0)
            source->dry_run = true;
        else if (strcmp(argv[i], "--undo") == 0 && i + 1 < argc)
            source->undo = argv[++i];
        else if (strcmp(argv[i], "--reason") == 0 && i + 1 < argc)
            source->reason = argv[++i];
        else
            return false;
    }
    return source->undo && source->reason && *source->reason && uuid_is_valid(source->undo, strlen(source->undo));
}

static bool parse(int argc, char **argv, struct source *source, const char **ret_rejects)
{
    if (argc > 0 && strncmp(argv[0], "--", 2) == 0)
        return parse_undo(argc, argv, source);
    if (argc < 2 || !(source->kind = kind_called(argv[0])))
        return false;
    source->file = argv[1];
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0)
            source->dry_run = true;
        else if (strcmp(argv[i], "--rejects") == 0 && i + 1 < argc)
            *ret_rejects = argv[++i];
        else
            return false;
    }
    return true;
}

static int open_or_say(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        fprintf(stderr, "asnd import: cannot open %s: %s.\n", path, strerror(errno));
    return fd;
}

int cli_import(int argc, char **argv)
{
    struct session session;
    struct source source = {.in = STDIN_FILENO, .rejects = -1, .session = &session};
    const char *rejects = NULL;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        if (!parse(argc, argv, &source, &rejects))
            status = usage();
        else if (source.undo)
            status = undo(&session, &source);
        else if (strcmp(source.file, "-") != 0 && (source.in = open_or_say(source.file, O_RDONLY)) < 0)
            status = 1;
        else if (rejects && (source.rejects = open_or_say(rejects, O_WRONLY | O_CREAT | O_TRUNC)) < 0)
            status = 1;
        else
            status = import(&session, &source);
    }
    if (source.in > STDIN_FILENO)
        close(source.in);
    if (source.rejects >= 0)
        close(source.rejects);
    session_close(&session);
    return status;
}
