# SPDX-License-Identifier: Apache-2.0
"""`asnd check` needs the schema, but no data."""
import pytest


@pytest.fixture(scope="module")
def database(cluster, empty_template):
    name = cluster.create(template=empty_template)
    yield cluster.database_url(name)
    cluster.drop(name)
