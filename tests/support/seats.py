# SPDX-License-Identifier: Apache-2.0
"""An independent reader of a session's books: it counts from the people and the noted steps alone and believes none of the database's own counters."""
from collections import Counter

from support import postgres

HOLDING = {"offered", "approved", "attending", "completed", "passed", "failed", "certified", "synced"}
GONE = {"rejected", "no_show", "withdrawn", "cancelled"}

# One statement, so one snapshot: the session, its quotas with their paths, its enrolments with where the people are.
BOOKS = """
    SELECT s.capacity, s.seats_taken, s.waiting, s.queue_last,
           (SELECT jsonb_agg(jsonb_build_array(u.path::text, q.seats, q.taken)) FROM session_quota q JOIN unit u ON u.id = q.unit_id WHERE q.session_id = s.id),
           (SELECT jsonb_agg(jsonb_build_array(e.id, e.asn_id, e.state, e.priority, e.queue_place, u.path::text))
            FROM enrolment e JOIN asn a ON a.id = e.asn_id JOIN unit u ON u.id = a.unit_id WHERE e.session_id = s.id)
    FROM session s WHERE s.id = %s"""
STEPS = """SELECT t.enrolment_id::text, t."from", t."to" FROM enrolment_step_taken t JOIN enrolment e ON e.id = t.enrolment_id
           WHERE e.session_id = %s ORDER BY t.seq"""


class Quotas:
    def __init__(self, rows):
        self.seats = {path: seats for path, seats, _ in rows or []}

    def of(self, path):
        return [q for q in self.seats if path == q or path.startswith(q + ".")]

    def full(self, path, taken):
        return any(taken[q] >= self.seats[q] for q in self.of(path))


def check(url, session):
    """Holds one snapshot against all that must be true at any moment; gives how many hold a seat and how many wait."""
    capacity, seats_taken, waiting, last, quota_rows, rows = postgres.query(url, BOOKS, (session,))[0]
    quotas, rows = Quotas(quota_rows), rows or []
    holders = [r for r in rows if r[2] in HOLDING]
    queue = [r for r in rows if r[2] == "waitlisted"]
    taken = Counter(q for r in holders for q in quotas.of(r[5]))
    assert len(holders) == seats_taken <= capacity, (len(holders), seats_taken, capacity)
    assert len(queue) == waiting
    for path, seats, noted in quota_rows or []:
        assert taken[path] == noted <= seats, (path, taken[path], noted, seats)
    twice = [who for who, n in Counter(r[1] for r in rows if r[2] not in GONE).items() if n > 1]
    assert not twice, f"in it twice: {twice}"
    places = [r[4] for r in rows if r[4] is not None]
    assert len(places) == len(set(places)) and max(places, default=0) <= last, "a place in the queue is given once"
    if len(holders) < capacity:
        passed_over = [r for r in queue if not quotas.full(r[5], taken)]
        assert not passed_over, f"a seat is free and {len(passed_over)} who could have it wait"
    return len(holders), len(queue)


def replay(url, session):
    """Walks through the steps in their order: each seat went to the first who could have it, and everybody is where the last step left him."""
    capacity, _, _, _, quota_rows, rows = postgres.query(url, BOOKS, (session,))[0]
    quotas, people = Quotas(quota_rows), {r[0]: r for r in rows or []}
    state, taken, held, counts = {}, Counter(), 0, Counter()
    for number, (one, before, after) in enumerate(postgres.query(url, STEPS, (session,))):
        path = people[one][5]
        assert state.get(one, "new") == before, f"step {number} of {one} begins where it was not"
        waiters = sorted((-people[w][3], people[w][4], w) for w, s in state.items() if s == "waitlisted" and not quotas.full(people[w][5], taken))
        if before == "waitlisted" and after in HOLDING:
            assert waiters and waiters[0][2] == one, f"step {number}: {one} was not the first who could have it"
            counts["promoted"] += 1
        elif after in HOLDING and before not in HOLDING:
            assert not waiters or held >= capacity, f"step {number}: {one} came before those who waited"
        elif after == "waitlisted":
            assert held >= capacity or waiters or quotas.full(path, taken), f"step {number}: {one} waits although there was room"
        change = (after in HOLDING) - (before in HOLDING)
        held += change
        for q in quotas.of(path):
            taken[q] += change
        assert held <= capacity and all(taken[q] <= quotas.seats[q] for q in taken), f"step {number}: one too many"
        state[one] = after
        counts[f"{before} → {after}"] += 1
    assert state == {one: r[2] for one, r in people.items()}, "somebody is not where the last step left him"
    return counts
