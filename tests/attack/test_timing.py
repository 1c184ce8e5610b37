# SPDX-License-Identifier: Apache-2.0
"""What is another's and what was never there look alike: in every byte of the reply, and in the time that it takes."""
import re
import time
import uuid

import pytest

from support.wire import request

SAMPLES = 150
# Of two draws, how often the one of the foreign thing took longer: one half if time tells nothing. A check beside the rows (another statement, another
# index) shows as nine tenths and more; what is allowed here is less than what a busy machine does by chance.
APART = 0.15

THINGS = ["/v1/asn/{nip}", "/v1/units/{unit_id}", "/v1/evaluations/{evaluation_id}", "/v1/enrolments/{enrolment_id}", "/v1/documents/{document_id}",
          "/v1/issued-certificates/{certificate_id}", "/v1/surveys/{survey_id}", "/v1/complaints/{complaint_id}", "/v1/keys/{key_id}", "/v1/skps/{skp_id}"]


def pair(address, world):
    """The address of the world's thing, and one of nothing."""
    missing = {name: str(uuid.UUID(int=0x0190ffff_ffff_7fff_bfff_ffffffffffff)) for name in re.findall(r"\{(\w+)\}", address)} | {"nip": "199912312022031998"}
    return address.format(**world), address.format(**missing)


def alike(reply, target):
    """A reply without what is this request's own."""
    body = reply.body.replace(reply.headers["x-request-id"].encode(), b"ID").replace(target.rsplit("/", 1)[1].encode(), b"WHICH")
    lines = sorted(line for line in reply.lines if not line.lower().startswith((b"x-request-id", b"date")))
    return reply.status, body, lines


@pytest.mark.parametrize("address", THINGS)
def test_every_byte_is_the_same(address, world, stranger, wire):
    targets = pair(address, world)
    theirs, nobodys = wire.ask([request("GET", t, Authorization=f"Bearer {stranger.key}") for t in targets])
    assert theirs.status == 404
    assert alike(theirs, targets[0]) == alike(nobodys, targets[1])


def longer(ours, others):
    """How often one of the first took longer than one of the second, by ranks."""
    ranked = sorted([(t, 0) for t in ours] + [(t, 1) for t in others])
    ranks = sum(n for n, (_, which) in enumerate(ranked, 1) if which == 0)
    return (ranks - len(ours) * (len(ours) + 1) / 2) / (len(ours) * len(others))


def measure(wire, requests):
    """One after the other in turn, so that whatever else the machine does meets both alike."""
    times = ([], [])
    for n in range(SAMPLES):
        for which in (0, 1) if n % 2 else (1, 0):
            begun = time.perf_counter_ns()
            wire.ask([requests[which]])
            times[which].append(time.perf_counter_ns() - begun)
    return longer(*times)


@pytest.mark.parametrize("method, address", [("GET", t) for t in [*THINGS, "/v1/documents/{document_id}/content"]] + [("DELETE", "/v1/skps/{skp_id}")])
def test_time_tells_nothing(method, address, world, stranger, wire):
    """Of a NIP above all, which can be guessed. A row that is there and not theirs takes longer to find (shares of 0.65 to 0.85 without src/engine/even.c)."""
    requests = [request(method, t, Authorization=f"Bearer {stranger.key}", If_Match='"1"') for t in pair(address, world)]
    assert [r.status for r in wire.ask(requests)] == [404, 404]
    shares = []
    while len(shares) < 4 and not any(abs(share - 0.5) < APART for share in shares):
        shares.append(measure(wire, requests))
    assert abs(shares[-1] - 0.5) < APART, shares


def test_the_measure_can_tell(world, stranger, api, wire):
    """Something and nothing, which do differ, are told apart by the same measure."""
    there, missing = pair("/v1/asn/{nip}", world)
    requests = [request("GET", there, Authorization=f"Bearer {api.key}"), request("GET", missing + "x", Authorization=f"Bearer {stranger.key}")]
    assert abs(measure(wire, requests) - 0.5) > APART


def test_keys_that_differ_late_take_no_longer_than_those_that_differ_early(api, wire):
    """A key is found by its hash; how much of it is right shows nowhere."""
    good = api.key
    early, late = "asnd_" + "A" * 20 + good[25:], good[:-8] + "AAAAAAAA"
    requests = [request("GET", "/v1/caller", Authorization=f"Bearer {key}") for key in (early, late)]
    assert [r.status for r in wire.ask(requests)] == [401, 401]
    shares = []
    while len(shares) < 4 and not any(abs(share - 0.5) < APART for share in shares):
        shares.append(measure(wire, requests))
    assert abs(shares[-1] - 0.5) < APART, shares
