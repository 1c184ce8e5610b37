# SPDX-License-Identifier: Apache-2.0
"""No request costs more instructions than the baseline allows; and one that did would be noticed."""
import pytest

from support import daemon as daemons, instructions, postgres

WASTEFUL = daemons.ROOT / "build/release/asnd_wasteful"


@pytest.fixture(scope="module")
def database(cluster, empty_template):
    name = cluster.create(template=empty_template, label="counted")
    url = cluster.database_url(name)
    instructions.prepare(url)
    yield url
    cluster.drop(name)


@pytest.fixture(scope="module")
def key(database):
    return daemons.create_key(database, name="counted", scopes=instructions.SCOPES)


@pytest.fixture(scope="module")
def known():
    found = instructions.baseline()
    if found is None:
        pytest.skip(f"no baseline of {instructions.toolchain()}; scripts/bench.sh --instructions --write makes one")
    return found


def test_no_request_costs_more_than_the_baseline_allows(database, key, known):
    counts = instructions.count(database, key, daemons.program())
    print(counts)
    assert set(counts) == set(known), "the baseline is of other requests"
    assert not instructions.excesses(counts, known), "scripts/bench.sh --instructions --write, if it is worth it"
    assert sum(counts.values()) > (1 - 3 * instructions.TOLERANCE) * sum(known.values()), "so much better that the baseline guards nothing: write it anew"


def test_a_tenth_more_is_noticed(database, key, known):
    """The same program, linked so that it wastes what it is told to."""
    wasted = known["get_by_nip"] // 10
    with instructions.counting(database, key, WASTEFUL, WASTE=str(wasted)) as counted:
        counts = {"get_by_nip": counted.per_request(instructions.ASKED["get_by_nip"](counted))}
    assert instructions.excesses(counts, known), f"{counts}: a tenth more than {known['get_by_nip']}, and nobody noticed"


def test_what_is_named_when_it_costs_more():
    known = {"get": 1000, "post": 2000}
    assert instructions.excesses({"get": 1079, "post": 2000}, known) == []
    assert instructions.excesses({"get": 1081, "post": 1000}, known) == ["get: 1081 instructions, +8.1% of 1000"]
    assert instructions.excesses({"put": 1}, known) == ["put: not in the baseline"]


def test_the_people_that_are_asked_for_are_there(database):
    assert postgres.query(database, "SELECT count(*) FROM asn") == [(instructions.PEOPLE,)]
