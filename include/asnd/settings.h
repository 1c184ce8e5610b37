/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One table of settings (settings.def): name, type, default, secret or not, help. Sources, later wins: defaults, a file
 * (`--config FILE` or ASND_CONFIG; lines `name = value`, or comments that begin with `#`), environment ASND_NAME, flags --name=value or
 * --name value (dashes for underscores; none behind `--`). Unknown names (in the file, or an ASND_ variable that is no setting) and bad
 * values stop the start with a sentence that names the nearest setting; unknown flags are the subcommand's to refuse. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "asnd/macros.h"

struct buf;

/* A field per row of settings.def: SETTING_TEXT → const char *, SETTING_INT → int64_t, SETTING_BOOL → bool. */
struct settings {
#define SETTING_TEXT(name, def, secret, help)  const char *name;
#define SETTING_INT(name, def, min, max, help) int64_t name;
#define SETTING_BOOL(name, def, help)          bool name;
#include "asnd/settings.def"
#undef SETTING_TEXT
#undef SETTING_INT
#undef SETTING_BOOL
};

/* Reads all sources. argv is the part behind the subcommand; what is no setting flag stays in order in argv[0..*argc).
 * On a fault writes one sentence to `err` and returns false. Secrets are refused as flags (they would show in the process list). */
NODISCARD bool settings_load(int *argc, char **argv, struct settings *ret, FILE *err);
/* For a running program that has read its settings again: those that need a restart are as in `old`, and `ret_held` names the ones among them that were to change. */
void settings_hold(struct settings *fresh, const struct settings *old, struct buf *ret_held);
/* A number by its name; false if there is no such setting, or it is none. `settings` NULL: only whether there is. */
bool settings_number(const struct settings *settings, const char *name, int64_t *ret);
/* The settings file that was read, if it is where a secret came from; else NULL. */
const char *settings_file_with_secret(void);
/* A settings file that gives the same settings: `# help (source)` and `name = value` for each. Secrets stand masked in comments, as does
 * what a line cannot hold. */
void settings_print(const struct settings *settings, FILE *out);
/* A Markdown table of all settings for the README and docs. */
void settings_print_markdown(FILE *out);
/* The same as items of a list in mdoc(7), for the manual asnd.conf(5). */
void settings_print_mdoc(FILE *out);
