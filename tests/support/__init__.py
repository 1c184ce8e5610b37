# SPDX-License-Identifier: Apache-2.0
"""What the tests that speak HTTP share: a cluster, a daemon, a client that holds every reply against the contract."""
import os

# PGPORT, PGHOST, PGSERVICE … of the shell mean another server than the tests' own; libpq would heed them here and in every child.
for _name in [name for name in os.environ if name.startswith("PG")]:
    del os.environ[_name]
os.environ.pop("ASND_OWNER_DATABASE_URL", None)  # of `source .local/env`: `asnd migrate` would go there
