# SPDX-License-Identifier: Apache-2.0
"""Achievements worked out a second time, by Python's fractions and formulas written down independently, must agree to the last digit.
ASND_ACHIEVEMENT_LINES is the program of achievement_lines.c (ctest sets it)."""
import os
import random
import subprocess
from fractions import Fraction as F

N = 20_000
SEED = 20260304


def run(lines):
    program = os.environ["ASND_ACHIEVEMENT_LINES"]
    done = subprocess.run([program], input="\n".join(lines) + "\n", text=True, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    out = done.stdout.splitlines()
    assert len(out) == len(lines)
    return out


def amount(rng, zero=0.05):
    """A number as people write them: round, fine, far too large, and now and then 0."""
    if rng.random() < zero:
        return rng.choice(["0", "0.0", "0e5"])
    kind = rng.randrange(4)
    if kind == 0:
        return str(rng.randint(1, 200))
    if kind == 1:
        return f"{rng.randint(1, 99999)}.{rng.randint(0, 9999):04d}"
    if kind == 2:
        return f"{rng.randint(1, 10**12)}.{rng.randint(0, 10**12):012d}"
    return f"{rng.randint(1, 999)}e{rng.randint(-6, 6)}"


def formula(direction, target, high, actual, zero_reached):
    """docs/rules.md, section 3. A text is the code of a refusal."""
    t, r = F(target), F(actual)
    if direction == "maximize":
        if t:
            return r / t * 100
        return F(100) if zero_reached else "indicator-target-zero"
    if direction == "minimize":
        return (1 + (1 - r / t)) * 100 if t else "indicator-target-zero"
    if direction == "minimize_inverse":
        return t * 100 / r if r else "indicator-actual"
    if high == "-" or F(high) < t:
        return "indicator-range"
    if t <= r <= F(high):
        return F(100)
    bound = t if r < t else F(high)
    return r * 100 / bound if bound else "indicator-target-zero"


def expected(direction, target, high, actual, cap, zero_reached):
    value = formula(direction, target, high, actual, zero_reached)
    if isinstance(value, str):
        return value
    value = max(value, F(0))
    return value, value if cap == "-" else min(value, F(cap))


def read(line):
    parts = line.split()
    return line if line.startswith("indicator-") else tuple(F(part) for part in parts)


def test_random_achievements_are_exact():
    rng = random.Random(SEED)
    cases = []
    for _ in range(N):
        direction = rng.choice(["maximize", "minimize", "minimize_inverse", "range"])
        high = amount(rng) if direction == "range" and rng.random() > 0.02 else "-"
        cap = "-" if rng.random() < 0.3 else amount(rng, zero=0)
        cases.append((direction, amount(rng), high, amount(rng), cap, rng.random() < 0.5))
    lines = [" ".join(case[:5]) + f" {case[5]:d}" for case in cases]
    seen = set()
    for case, line in zip(cases, run(lines)):
        told = read(line)
        assert told == expected(*case), (case, line)
        seen.add(told if isinstance(told, str) else case[0])
    assert seen == {"maximize", "minimize", "minimize_inverse", "range", "indicator-target-zero", "indicator-actual", "indicator-range"}


def test_random_totals_are_exact():
    rng = random.Random(SEED + 1)
    cases = [[(amount(rng, zero=0), amount(rng)) for _ in range(rng.randint(1, 12))] for _ in range(2_000)]
    lines = ["total " + " ".join(f"{weight} {value}" for weight, value in case) for case in cases]
    for case, line in zip(cases, run(lines)):
        assert read(line) == (sum(F(w) * F(v) for w, v in case) / sum(F(w) for w, _ in case),), (case, line)
