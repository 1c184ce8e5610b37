# SPDX-License-Identifier: Apache-2.0
"""What changed for those who took part: the figures of generated regencies are those of a second computation, with the effect that was put in; who counts and
who does not; what is said of small numbers; citizens' satisfaction and waiting. That the rule itself finds an effect in 90 of 100 seeds:
tests/unit/rules/test_effect.py, whose generator and second computation are used here."""
import importlib.util
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction as F

import pytest

from support import contract as contracts
from support import make

_spec = importlib.util.spec_from_file_location("second", contracts.ROOT / "tests/unit/rules/test_effect.py")
second = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(second)

YEAR = make.today().year
BEFORE, TRAINED, AFTER = YEAR - 3, YEAR - 2, YEAR - 1
KINDS = ["dinas", "badan", "kecamatan", "puskesmas"]


@pytest.fixture(scope="module")
def years(api):
    return {y: make.period(api, starts_on=f"{y}-01-01", ends_on=f"{y}-12-31")["id"] for y in range(BEFORE - 1, AFTER + 1)}


@pytest.fixture
def seat(api):
    """An agency of its own, and a key that sees nothing else."""
    return make.unit(api, None, kind="instansi")


@pytest.fixture
def here(api, keys, seat):
    return api.as_key(keys("training.read", "performance.read", "service.read", "survey.read", units=[seat["code"]]))


@pytest.fixture
def hire(sql):
    """People of a unit, beside the API: a regency of them."""
    def do(unit_id, n, kind="PNS", position_kind=None):
        first = make.number()
        for _ in range(n - 1):
            make.number()
        nips = [make.nip(first + i) for i in range(n)]
        sql("""INSERT INTO asn (id, nip, kind, name, birth_date, sex, unit_id, position_kind, legal_status)
               SELECT uuid_v7(), n, %s, 'Pegawai Uji', '1990-01-15', 'M', %s, %s, '01' FROM unnest(%s::text[]) n RETURNING 1""", (kind, unit_id, position_kind, nips))
        return nips
    return do


@pytest.fixture
def achieve(sql, years):
    """Final evaluations: of whom, in which year, how much."""
    def do(rows, state="final"):
        whole = state == "final"
        sql(f"""INSERT INTO evaluation (id, asn_id, period_id, state, results_rating, behaviour_rating, achievement, achievement_uncapped, predicate, predicate_number,
                                        inputs, rule_version, inputs_sha256, finalized_at, finalized_by)
                SELECT uuid_v7(), a.id, p.id, '{state}', 'sesuai_ekspektasi', 'sesuai_ekspektasi', {"w.value, w.value, 'baik', 2, '{}', 'uji', 'uji', now(), 'uji'" if whole
                       else "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"}
                FROM   unnest(%s::text[], %s::uuid[], %s::numeric[]) AS w (nip, period, value) JOIN asn a ON a.nip = w.nip JOIN period p ON p.id = w.period RETURNING 1""",
            ([r[0] for r in rows], [years[r[1]] for r in rows], [r[2] for r in rows]))
    return do


@pytest.fixture
def train(api, sql):
    """These people go through a session of the programme; gives it."""
    def do(programme, nips, first=date(TRAINED, 5, 5), length=3, upto="completed"):
        session = make.session(api, programme["id"], start=-1, length=3, capacity=1000)
        sql("INSERT INTO enrolment (id, session_id, asn_id, state) SELECT uuid_v7(), %s, a.id, 'approved' FROM asn a WHERE a.nip = ANY (%s) RETURNING 1", (session["id"], nips))
        sql("UPDATE enrolment SET state = 'attending' WHERE session_id = %s RETURNING 1", (session["id"],))
        days = {"starts_on": first.isoformat(), "ends_on": (first + timedelta(days=length - 1)).isoformat()}
        api.patch(f"/v1/sessions/{session['id']}", days, etag="*", expect=200)
        if upto == "completed":
            sql("UPDATE enrolment SET state = 'completed' WHERE session_id = %s RETURNING 1", (session["id"],))
        return {**session, **days}
    return do


def effect(client, programme, query="", of="people", expect=200):
    return client.get(f"/v1/programmes/{programme['id']}/effect/{of}?{query}".rstrip("?"), expect=expect)


def inputs(client, programme, query="", of="people"):
    rows, _ = client.walk(f"/v1/programmes/{programme['id']}/effect/{of}/inputs?limit=100&{query}".rstrip("&"))
    return rows


def four(fraction):
    """Four decimals, half up."""
    return str((Decimal(fraction.numerator) / Decimal(fraction.denominator)).quantize(Decimal("0.0001"), ROUND_HALF_UP))


# ── generated regencies ──

@pytest.mark.parametrize("seed, put", [(7, 4), (8, -3), (9, 0)])
def test_a_regency_gives_what_was_put_in(seed, put, api, here, seat, hire, achieve, train):
    programme, people = make.programme(api), second.kpi(seed, put)
    units, nips, rows = {}, [], []
    for unit in sorted({p[1] for p in people}):
        stratum = next(p[0] for p in people if p[1] == unit)
        units[unit] = make.unit(api, seat["id"], kind=KINDS[stratum])["id"]
    for unit in units:  # people come unit by unit
        nips += hire(units[unit], sum(p[1] == unit for p in people))
    for nip, (*_, before, after) in zip(nips, people):
        rows += [(nip, BEFORE, before), (nip, AFTER, after)]
    achieve(rows)
    session = train(programme, [n for n, p in zip(nips, people) if p[2]])
    told = effect(here, programme, "match=unit_kind").json
    n1, n0, lost, estimate, welch, clustered = second.expected(people)
    assert (told["participants"]["n"], told["comparison"]["n"], told["trained"], lost) == (n1, n0, n1, 0)
    assert told["estimate"].text == four(estimate)
    between = told["interval"]
    assert (between["welch_error"].text, between["clustered_error"].text, between["method"]) == (four(welch), four(clustered), "clustered" if clustered > welch else "welch")
    assert F(between["lower"].text) <= put <= F(between["upper"].text) and told["is_told_apart"] == (put != 0)
    assert [s["id"] for s in told["sessions"]] == [session["id"]] and told["matched"] == ["unit_kind"]
    assert (told["before_from"], told["after_to"], told["earlier_from"]) == (f"{BEFORE}-01-01", f"{AFTER}-12-31", f"{BEFORE - 1}-01-01")
    # how did this number come about: the strata, and under them the people
    assert sum(s["participants"] for s in told["strata"]) == n1 and all(s["counts"] for s in told["strata"])
    weighed = sum(F(s["participants"], n1) * (F(s["participant_change"].text) - F(s["comparison_change"].text)) for s in told["strata"])
    assert abs(weighed - estimate) < F(1, 1000)
    used = inputs(here, programme, "match=unit_kind")
    assert len(used) == n1 + n0
    assert {(r["nip"], r["is_participant"], F(r["change"].text)) for r in used} == {(n, bool(p[2]), F(p[4]) - F(p[3])) for n, p in zip(nips, people)}


# ── who counts ──

@pytest.fixture
def staff(api, seat, hire):
    unit = make.unit(api, seat["id"], kind="dinas")
    return {"unit": unit, "nips": hire(unit["id"], 12)}


def flat(nips, change, base=80):
    return [row for i, n in enumerate(nips) for row in ((n, BEFORE, base + i), (n, AFTER, base + i + change))]


def arms(rows):
    return {r["nip"]: r["is_participant"] for r in rows}


def test_who_was_in_the_programme_otherwise_is_compared_with_nobody(api, here, staff, achieve, train):
    programme, n = make.programme(api), staff["nips"]
    achieve(flat(n, 1))
    first = train(programme, n[:2])
    other = train(programme, n[2:4], first=date(TRAINED, 8, 5))
    train(programme, n[4:5], first=date(BEFORE, 12, 30))  # began in the time before
    train(programme, n[5:6], first=date(TRAINED, 9, 9), upto="attending")  # never got to the end
    train(programme, n[6:7], first=date(AFTER, 3, 3))  # in the time after
    train(programme, n[7:8], first=date(BEFORE - 2, 3, 3))  # long ago: may be compared
    train(make.programme(api), n[8:9])  # in another programme
    assert arms(inputs(here, programme)) == {**dict.fromkeys(n[:4], True), **dict.fromkeys(n[7:], False)}
    one = f"session_id={first['id']}"
    assert arms(inputs(here, programme, one)) == {**dict.fromkeys(n[:2], True), **dict.fromkeys(n[7:], False)}
    told = effect(here, programme, one).json
    assert (told["trained"], told["participants"]["n"], told["session_id"]) == (2, 2, first["id"])
    assert [s["id"] for s in effect(here, programme).json["sessions"]] == [first["id"], other["id"]]
    assert arms(inputs(here, programme, "is_participant=true")) == dict.fromkeys(n[:4], True)


def test_only_final_values_on_both_sides_count(api, here, staff, achieve, train):
    programme, n = make.programme(api), staff["nips"]
    achieve(flat(n[2:], 1))
    achieve([(n[0], BEFORE, 80), (n[1], AFTER, 80)])
    achieve([(n[0], AFTER, None)], state="draft")
    train(programme, n[:4])
    told = effect(here, programme).json
    assert (told["trained"], told["participants"]["n"], told["comparison"]["n"]) == (4, 2, 8)


def test_what_is_matched_decides_who_is_compared(api, here, seat, hire, achieve, train):
    programme = make.programme(api)
    office, clinic = (make.unit(api, seat["id"], kind=k) for k in ("dinas", "puskesmas"))
    pns, pppk = hire(office["id"], 4), hire(office["id"], 3, kind="PPPK")
    nurses = hire(clinic["id"], 4)
    achieve(flat(pns, 2) + flat(pppk, 9) + flat(nurses, 20))
    train(programme, pns[:2] + nurses[:1])
    kinds = {s["kind"]: (s["participants"], s["comparison"], s["counts"]) for s in effect(here, programme, "match=kind").json["strata"]}
    assert kinds == {"PNS": (3, 5, True), "PPPK": (0, 3, False)}
    told = effect(here, programme, "match=kind,unit_kind").json
    assert (told["estimate"].text, told["comparison"]["n"]) == ("0.0000", 5)
    assert effect(here, programme, "match=none").json["comparison"]["n"] == 8
    assert {s["agency"] for s in effect(here, programme, "match=agency").json["strata"]} == {seat["code"]}
    assert list(effect(here, programme, "match=sex", expect=400).faults) == ["match"]


def test_who_has_nobody_like_him_does_not_count_and_is_named(api, here, staff, hire, achieve, train):
    programme, n = make.programme(api), staff["nips"]
    alone = hire(staff["unit"]["id"], 2, kind="PPPK")
    achieve(flat(n, 1) + flat(alone, 50))
    train(programme, n[:3] + alone)
    told = effect(here, programme).json
    assert (told["trained"], told["participants"]["n"], told["estimate"].text) == (5, 3, "0.0000") and "unmatched" in told["warnings"]
    assert [(s["kind"], s["participants"], s["comparison"], s["counts"]) for s in told["strata"]] == [("PNS", 3, 9, True), ("PPPK", 2, 0, False)]
    assert told["strata"][1]["comparison_change"] is None and told["strata"][1]["participant_change"].text == "50.0000"


def test_the_post_is_that_of_the_last_day_before(api, here, seat, hire, achieve, train):
    programme, unit = make.programme(api), make.unit(api, seat["id"], kind="dinas")
    n = hire(unit["id"], 4)
    for nip in n[:3]:
        make.history(api, nip, "position", {"position_kind": "fungsional", "position": "Arsiparis", "assignment": "definitive"}, f"{BEFORE}-02-01")
    make.history(api, n[3], "position", {"position_kind": "pelaksana", "position": "Pengadministrasi", "assignment": "definitive"}, f"{BEFORE}-02-01")
    achieve(flat(n, 2))
    train(programme, n[:1])
    strata = effect(here, programme).json["strata"]
    assert [(s["position"], s["participants"], s["comparison"]) for s in strata] == [("fungsional", 1, 2), ("pelaksana", 0, 1)]


def test_a_key_counts_the_people_it_sees(api, here, keys, seat, staff, hire, achieve, train):
    programme, far = make.programme(api), make.unit(api, seat["id"], kind="dinas")
    theirs = hire(far["id"], 3)
    achieve(flat(staff["nips"] + theirs, 1))
    train(programme, staff["nips"][:2] + theirs[:1])
    assert effect(here, programme).json["participants"]["n"] == 3
    near = api.as_key(keys("training.read", "performance.read", units=[staff["unit"]["code"]]))
    told = effect(near, programme).json
    assert (told["trained"], told["participants"]["n"], told["comparison"]["n"]) == (2, 2, 10)
    assert set(arms(inputs(near, programme))) == set(staff["nips"])


# ── what is said of it ──

def test_small_numbers_are_said_to_be_small(api, here, staff, achieve, train):
    programme, n = make.programme(api), staff["nips"]
    achieve([row for i, nip in enumerate(n) for row in ((nip, BEFORE, 80), (nip, AFTER, 82 + i % 2 + (3 if i < 3 else 0)))])
    train(programme, n[:3])
    told = effect(here, programme).json
    assert told["warnings"] == ["few-participants", "few-compared", "few-units", "no-earlier"]
    assert "small" in told["conclusion"]["en"] and "kecil" in told["conclusion"]["id"] and told["trend"]["verdict"] == "unknown"


def test_one_alone_has_no_interval_and_nobody_has_no_estimate(api, here, staff, achieve, train):
    programme, n = make.programme(api), staff["nips"]
    achieve(flat(n, 1))
    none = effect(here, programme).json
    assert (none["estimate"], none["interval"], none["is_told_apart"], none["participants"]["n"]) == (None, None, None, 0)
    assert "no-estimate" in none["warnings"] and none["participants"]["change"] is None
    assert none["trained"] == 0 and none["conclusion"]["en"].startswith("Nobody took part between the times")
    train(programme, n[:1])
    one = effect(here, programme).json
    assert (one["estimate"].text, one["interval"]) == ("0.0000", None) and "no-interval" in one["warnings"]


def test_a_training_within_one_of_the_times_is_said_to_count_for_neither(api, here, staff, achieve, train):
    programme, n = make.programme(api), staff["nips"]
    achieve(flat(n, 1))
    train(programme, n[:3], first=date(TRAINED + 1, 1, 13))
    told = effect(here, programme).json
    assert (told["trained"], told["estimate"]) == (0, None)
    assert "lies within one of them" in told["conclusion"]["en"] and "di dalam salah satunya" in told["conclusion"]["id"]
    only = effect(here, make.programme(api)).json
    assert only["conclusion"] == told["conclusion"]


def test_a_trend_that_was_there_before_is_named(api, here, staff, achieve, train):
    """Participants rose by 5 each year, trained or not: the difference is none of the training's, and the years before show it."""
    programme, n = make.programme(api), staff["nips"]
    rows = []
    for i, nip in enumerate(n):
        step = 5 if i < 5 else 0
        rows += [(nip, BEFORE - 1, 80 + i % 3), (nip, BEFORE, 80 + step + i % 2), (nip, AFTER, 80 + 2 * step + i % 3)]
    achieve(rows)
    train(programme, n[:5])
    told = effect(here, programme).json
    assert told["trend"]["verdict"] == "diverging" and "trend-diverges" in told["warnings"] and told["is_told_apart"]
    assert (told["trend"]["participants"], told["trend"]["comparison"]) == (5, 7) and 4 < told["trend"]["estimate"] < 6


@pytest.mark.parametrize("of", ["people", "units"])
@pytest.mark.parametrize("query, parameter", [("before_from=2025-02-01&before_to=2025-01-01", "before_to"), ("before_to=2025-12-31&after_from=2025-12-31", "after_from"),
                                              ("after_from=2025-02-01&after_to=2025-01-01", "after_to")])
def test_times_out_of_order_are_refused(of, query, parameter, api):
    programme = make.programme(api)
    refused = effect(api, programme, query, of, expect=422)
    assert refused.code == "effect-periods" and refused.faults == {parameter: "effect-periods"}
    assert all(word in refused.json["detail"] for part in query.split("&") for word in part.split("=")), refused
    assert inputs(api, programme, query, of) == []


def test_a_session_of_another_programme_is_not_there(api):
    effect(api, make.programme(api), f"session_id={make.session(api)['id']}", expect=404)


def test_who_may_not_see_evaluations_sees_no_effect(api, keys):
    reply = effect(api.as_key(keys("training.read")), make.programme(api), expect=403)
    assert "performance.read" in reply.json["detail"]


# ── citizens ──

def surveys(api, rows):
    """(service unit, year, value): a closed survey of five who answered all alike."""
    lines = []
    made = []
    for counter, year, value in rows:
        made.append(make.survey(api, counter["id"], starts_on=f"{year}-02-01", ends_on=f"{year}-11-30"))
        lines += [f"{made[-1]['code']},{n},{year}-03-03{f',{value}' * 9}" for n in range(5)]
    head = "survey,form,answered_on," + ",".join(f"U{n}" for n in range(1, 10))
    api("POST", "/v1/surveys/answers/import", data="\n".join([head] + lines).encode(), headers={"Content-Type": "text/csv"}, expect=200)
    for survey in made:
        api.post(f"/v1/surveys/{survey['id']}/close", expect=200)


def tickets(api, rows):
    """(service, year, minutes …): finished tickets that waited so long."""
    lines = ["service_code,number,taken_at,called_at,started_at,finished_at,result"]
    for service, year, *waits in rows:
        for n, minutes in enumerate(waits):
            lines.append(f"{service['code']},{year}{n},{year}-0{1 + n % 3}-04T08:00:00+08:00," +
                         ",".join(f"{year}-0{1 + n % 3}-04T08:{minutes + more:02d}:00+08:00" for more in (0, 0, 5)) + ",completed")
    told = api("POST", "/v1/tickets/import", data="\n".join(lines).encode(), headers={"Content-Type": "text/csv"}, expect=200).json
    assert told["refused"] == 0, told


def test_what_changed_for_citizens(api, here, seat, hire, train):
    programme = make.programme(api)
    places = [make.unit(api, seat["id"], kind="kecamatan" if i < 6 else "dinas") for i in range(8)]
    counters = [make.service_unit(api, p["id"]) for p in places]
    services = [make.service(api, c["id"], promise_minutes=25) for c in counters]
    desk = make.unit(api, places[0]["id"], kind="seksi")
    trained = hire(desk["id"], 2) + hire(places[1]["id"], 1)  # a desk belongs to the nearest unit above that serves
    left_out = hire(places[5]["id"], 1)
    # satisfaction 2 → 4 and 2 → 3 where somebody was sent; 2 → 2, 2 → 3 and 3 → 3 elsewhere; a dinas is no kecamatan
    surveys(api, [(c, BEFORE, b) for c, b in zip(counters, (2, 2, 2, 2, 3, 2, 1, 1))] + [(c, AFTER, a) for c, a in zip(counters, (4, 3, 2, 3, 3, 2, 4, 4))])
    tickets(api, [(s, BEFORE, 30, 20, 40) for s in services] + [(s, AFTER, *w) for s, w in zip(services, [(10, 10, 25), (20, 10, 30)] + [(25, 20, 30), (30, 20, 40), (30, 10, 20)] + [(9, 9, 9)] * 3)])
    train(programme, trained)
    train(programme, left_out, first=date(BEFORE, 12, 31))
    told = effect(here, programme, "measure=satisfaction", "units").json
    assert (told["participants"]["n"], told["comparison"]["n"], told["trained"]) == (2, 3, 3)
    assert (told["participants"]["before"].text, told["participants"]["after"].text, told["comparison"]["change"].text) == ("50.0000", "87.5000", "8.3333")
    assert told["estimate"].text == "29.1667" and told["interval"]["method"] == "welch"
    assert "few-units" in told["warnings"]
    rows = {r["unit_id"]: r for r in inputs(here, programme, "measure=satisfaction", "units")}
    assert (rows[places[0]["id"]]["participants"], rows[places[0]["id"]]["change"].text) == (2, "50.0000")
    assert places[5]["id"] not in rows and len(rows) == 7
    # waiting: from 30 on average to 15 and 20 where somebody was sent, to 25, 30 and 20 elsewhere
    for measure, estimate in (("waiting_mean", "-7.5000"), ("waiting_median", "-7.5000")):
        assert effect(here, programme, f"measure={measure}", "units").json["estimate"].text == estimate
    on_time = {r["unit_id"]: (r["before"].text, r["after"].text) for r in inputs(here, programme, "measure=on_time", "units")}
    assert on_time[places[0]["id"]] == ("33.3333", "66.6667") and on_time[places[6]["id"]] == ("33.3333", "100.0000")
    assert effect(here, programme, "measure=satisfaction&match=none", "units").json["comparison"]["n"] == 5


def test_a_survey_that_few_answered_or_is_still_open_does_not_count(api, here, seat, hire, train):
    programme = make.programme(api)
    places = [make.unit(api, seat["id"], kind="kecamatan") for _ in range(3)]
    counters = [make.service_unit(api, p["id"]) for p in places]
    surveys(api, [(c, y, 3) for c in counters[:2] for y in (BEFORE, AFTER)] + [(counters[2], BEFORE, 3)])
    make.survey(api, counters[2]["id"], starts_on=f"{AFTER}-02-01", ends_on=f"{AFTER}-11-30")
    train(programme, hire(places[0]["id"], 1))
    told = effect(here, programme, "", "units").json
    assert (told["participants"]["n"], told["comparison"]["n"]) == (1, 1)
