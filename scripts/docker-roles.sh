#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a new data directory of the service db begins with: the daemon's role, which owns nothing, and the groups that its rights come from.
set -eu
psql -qX -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$PGPASSWORD" <<'SQL'
SELECT format('CREATE ROLE asnd LOGIN PASSWORD %L', :'password') WHERE to_regrole('asnd') IS NULL \gexec
CREATE ROLE asnd_all NOLOGIN;
CREATE ROLE asnd_bound NOLOGIN;
GRANT asnd_all, asnd_bound TO asnd;
SQL
