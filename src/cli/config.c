/* SPDX-License-Identifier: Apache-2.0 */
/* asnd config [--markdown | --mdoc]: the settings in force and where each came from, as a settings file; secrets are masked. */
#include "cli.h"

#include <string.h>

int cli_config(int argc, char **argv)
{
    struct session session;
    int status = 2;
    if (session_open(&session, &argc, argv)) {
        status = 0;
        if (argc == 1 && strcmp(argv[0], "--markdown") == 0)
            settings_print_markdown(stdout);
        else if (argc == 1 && strcmp(argv[0], "--mdoc") == 0)
            settings_print_mdoc(stdout);
        else if (argc == 0)
            settings_print(&session.settings, stdout);
        else
            status = (fprintf(stderr, "usage: asnd config [--markdown | --mdoc]\n"), 2);
    }
    session_close(&session);
    return status;
}
