/* SPDX-License-Identifier: Apache-2.0 */
/* Which subcommand; nothing else. */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "asnd/macros.h"
#include "cli/cli.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} subcommands[] = {
    {"serve", cli_serve, "run the daemon"},
    {"migrate", cli_migrate, "bring the schema to this version (--status, --dry-run)"},
    {"key", cli_key, "API keys: create, list, rotate, revoke; deny-token"},
    {"import", cli_import, "load employees, units, histories, tickets and more from CSV or NDJSON"},
    {"check", cli_check, "hold contract, bindings, statements and schema against each other (--security: what is weak here)"},
    {"documents", cli_documents, "check: every document has its content, and the bytes are what they were (--remove-orphans)"},
    {"certificate", cli_certificate, "verify a certificate's code without a daemon; rotate the key that signs them"},
    {"evaluate", cli_evaluate, "--verify: every final evaluation is what was stored with it gives (--period ID)"},
    {"access", cli_access, "who may what: the matrix of roles and operations, as a table"},
    {"audit", cli_audit, "verify the chain of the audit (--file: without a database); seal; latest"},
    {"retention", cli_retention, "what personal data is due to go by the rules (--dry-run), and letting it go (--apply)"},
    {"column-keys", cli_column_keys, "keys under which NIKs are encrypted: new FILE, status, apply (all under the newest)"},
    {"self-test", cli_self_test, "which libraries run here, and whether any is older than a known fault's mending; needs no database"},
    {"config", cli_config, "print the settings in force (--markdown, --mdoc: all settings as a table)"},
};

const char *cli_subcommand = "asnd";

static int help(FILE *out)
{
    fprintf(out, "asnd %s\n\nusage: asnd SUBCOMMAND [arguments] [--setting value]…\n\n", ASND_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(subcommands); i++)
        fprintf(out, "  %-11s  %s\n", subcommands[i].name, subcommands[i].help);
    fprintf(out, "\nSettings come from --config FILE, environment ASND_NAME and flags; `asnd config --markdown` explains each.\n");
    return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (sodium_init() < 0)
        return fprintf(stderr, "asnd: libsodium does not start.\n"), 1;
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return help(stdout);
    if (strcmp(argv[1], "--version") == 0)
        return printf("asnd %s\n", ASND_VERSION), 0;
    for (size_t i = 0; i < ARRAY_LEN(subcommands); i++)
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return cli_subcommand = argv[1], subcommands[i].run(argc - 2, argv + 2);
    fprintf(stderr, "asnd: there is no subcommand \"%s\".\n\n", argv[1]);
    return help(stderr);
}
