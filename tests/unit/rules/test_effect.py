# SPDX-License-Identifier: Apache-2.0
"""What a training changed, worked out a second time by Python's fractions; and whether it is found where it was put, and nowhere else.
ASND_EFFECT_LINES is the program of effect_lines.c (ctest sets it)."""
import os
import random
import subprocess
from fractions import Fraction as F
from math import isqrt, lgamma, exp, log

import pytest

SEEDS = range(100)
MUST = 90  # of a hundred; 95 are expected


def run(sets):
    lines = [" ".join(f"{s} {c} {a} {b} {t}" for s, c, a, b, t in people) for people in sets]
    done = subprocess.run([os.environ["ASND_EFFECT_LINES"]], input="\n".join(lines) + "\n", text=True, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = [line.split() for line in done.stdout.splitlines()]
    assert len(told) == len(sets)
    return [(*map(int, t[:4]), *(None if w == "-" else F(w) for w in t[4:])) for t in told]


# ── a second time ──

def root(x):
    return F(isqrt(int(x * 10**24)), 10**12)


def t_tail(t, df):
    """P(|T| > t): the regularised incomplete beta function by its continued fraction (Lentz)."""
    a, b, x = df / 2, 0.5, df / (df + t * t)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, 1 - x)
    return _beta(a, b, x)


def _beta(a, b, x):
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x)) / a
    c, d = 1.0, 1 / max(1e-300, abs(1 - (a + b) * x / (a + 1))) * (1 if 1 - (a + b) * x / (a + 1) > 0 else -1)
    h = d
    for m in range(1, 500):
        for n in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / (1 + n * d)
            c = 1 + n / c
            h *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * h


def expected(people):
    """docs/training-effect.md, written down independently: person by person, with lists instead of sums."""
    changes = {}
    for s, c, a, b, t in people:
        changes.setdefault(s, {}).setdefault(a, []).append((F(t) - F(b), c))
    both = {s: v for s, v in changes.items() if len(v) == 2}
    lost = sum(len(v.get(1, ())) for s, v in changes.items() if s not in both)
    n = {a: sum(len(v[a]) for v in both.values()) for a in (0, 1)}
    if not both:
        return n[1], n[0], lost, None, None, None
    mean = {(s, a): sum(x for x, _ in v[a]) / len(v[a]) for s, v in both.items() for a in (0, 1)}
    share = {s: F(len(v[1]), n[1]) for s, v in both.items()}
    estimate = sum(share[s] * (mean[s, 1] - mean[s, 0]) for s in both)
    degrees = {a: n[a] - len(both) for a in (0, 1)}
    if min(degrees.values()) < 1:
        return n[1], n[0], lost, estimate, None, None
    pooled = {a: sum((x - mean[s, a]) ** 2 for s, v in both.items() for x, _ in v[a]) / degrees[a] for a in (0, 1)}
    parts = [pooled[a] * sum(share[s] ** 2 / len(v[a]) for s, v in both.items()) for a in (0, 1)]
    left, members = {}, 0
    for s, v in both.items():
        for a in (0, 1):
            for x, c in v[a]:
                left[c] = left.get(c, 0) + (1 if a else -1) * share[s] / len(v[a]) * (x - mean[s, a])
                members += 1
    g = len(left)
    clustered = F(g, g - 1) * sum(u * u for u in left.values()) if 1 < g < members else F(0)
    return n[1], n[0], lost, estimate, root(sum(parts)), root(clustered)


def anybody(rng):
    strata, clusters = rng.randint(1, 5), rng.randint(2, 12)
    return [(rng.randrange(strata), rng.randrange(clusters), rng.randrange(2), f"{rng.uniform(60, 110):.2f}", f"{rng.uniform(60, 115):.2f}")
            for _ in range(rng.randint(1, 40))]


def test_it_agrees_with_a_second_computation():
    rng = random.Random(20260712)
    sets = [anybody(rng) for _ in range(500)]
    seen = {"none": 0, "point": 0, "welch": 0, "clustered": 0}
    for people, told in zip(sets, run(sets)):
        n1, n0, lost, df, estimate, welch, clustered, lower, upper = told
        assert (n1, n0, lost, estimate, welch, clustered) == expected(people)
        seen["none" if estimate is None else "point" if welch is None else "clustered" if clustered > welch else "welch"] += 1
        if welch is not None:
            assert lower + upper == 2 * estimate
            used = max(welch, clustered)
            if used:  # the quantile in use is that of its degrees of freedom, rounded up in the sixth place
                quantile = (upper - lower) / 2 / used
                assert t_tail(float(quantile), df) <= 0.05 < t_tail(float(quantile) - 2e-6, df)
    assert min(seen.values()) > 20, seen


# ── is it found? ──

def kpi(seed, effect):
    """Achievements of a regency: people of different worth in units of different luck, a year that changed everybody, the changes of a unit's people
    alike to a part; participants chosen by what they were, so that plain before and after, or participants against others, would be wrong."""
    rng = random.Random(seed)
    people = []
    for unit in range(40):
        stratum, luck = unit % 4, rng.gauss(0, 1)
        for _ in range(rng.randint(5, 9)):
            worth = rng.gauss(95, 6)
            arm = int(rng.random() < (0.45 if worth < 95 else 0.15))
            before = worth + rng.gauss(0, 3)
            after = worth + 2 + 1.5 * stratum + luck + effect * arm + rng.gauss(0, 3)
            people.append((stratum, unit, arm, f"{before:.2f}", f"{after:.2f}"))
    return people


def waiting(seed, effect):
    """Waiting times of service units, in minutes: a unit is one observation."""
    rng = random.Random(1000 + seed)
    units = []
    for unit in range(30):
        usual = rng.uniform(15, 45)
        arm, stratum = int(unit % 3 == 0), unit % 2
        units.append((stratum, unit, arm, f"{usual + rng.gauss(0, 2):.4f}", f"{usual - 1 - stratum + effect * arm + rng.gauss(0, 2):.4f}"))
    return units


# Which effect was put; whether so many people or units suffice to tell it from none (ten units do not see 3 minutes each time, and say so by their interval).
PUT = [(kpi, 4, True), (kpi, -3, True), (kpi, 0, False), (waiting, 6, True), (waiting, -6, True), (waiting, -3, False), (waiting, 0, False)]


@pytest.mark.parametrize("made, effect, is_seen", PUT, ids=[f"{m.__name__}{e:+d}" for m, e, _ in PUT])
def test_a_known_effect_is_in_the_interval_and_none_where_none_was_put(made, effect, is_seen):
    told = run([made(seed, effect) for seed in SEEDS])
    assert all(t[4] is not None and t[7] is not None for t in told)
    inside = sum(lower <= F(effect) <= upper for *_, lower, upper in told)
    told_apart = sum(not lower <= 0 <= upper for *_, lower, upper in told)
    assert inside >= MUST, f"{inside} of {len(told)}"
    if is_seen:
        assert told_apart >= MUST, f"seen in {told_apart} of {len(told)}: so wide an interval says nothing"
    if effect == 0:
        assert told_apart <= len(told) - MUST, f"seen in {told_apart} of {len(told)}, where there is none"


def test_the_generator_would_mislead_a_plainer_rule():
    """Before and after of the participants alone finds an effect where there is none: the test above can fail."""
    sets = [kpi(seed, 0) for seed in SEEDS]
    for people in sets[:10]:
        changes = [F(t) - F(b) for _, _, a, b, t in people if a]
        assert sum(changes) / len(changes) > 2
