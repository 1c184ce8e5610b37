# SPDX-License-Identifier: Apache-2.0
"""Achievements worked out a second time, by Python's fractions and formulas written down independently, must agree to the last digit.
ASND_ACHIEVEMENT_LINES, ASND_REGIME_LINES, ASND_SATISFACTION_LINES and ASND_HOURS_LINES are the programs of achievement_lines.c and its neighbours (ctest sets them)."""
import os
import random
import subprocess
from fractions import Fraction as F

ACHIEVEMENTS = 100_000
SURVEYS = 100_000
PEOPLE = 100_000
N = 20_000
SEED = 20260304


def run(lines, program="ASND_ACHIEVEMENT_LINES"):
    program = os.environ[program]
    done = subprocess.run([program], input="\n".join(lines) + "\n", text=True, capture_output=True, check=False, timeout=300)
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
    for _ in range(ACHIEVEMENTS):
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


def told(cases):
    return [read(line) for line in run([" ".join(case[:5]) + f" {case[5]:d}" for case in cases])]


def test_more_is_never_worse_where_more_is_wanted():
    """Of two results the one on the wanted side of the other never has the lower achievement, with a cap and without. Inside a range all are equal, and
    outside of one more is more: the annex divides by the nearer bound, so a result above the upper bound is above 100."""
    rng = random.Random(SEED + 3)
    pairs = []
    for _ in range(N):
        direction = rng.choice(["maximize", "minimize", "minimize_inverse", "range"])
        target = amount(rng, zero=0)
        high = str(F(target) + rng.randint(0, 50)) if direction == "range" and F(target).denominator == 1 else target if direction == "range" else "-"
        less, more = sorted((amount(rng, zero=0), amount(rng, zero=0)), key=F)
        cap = "-" if rng.random() < 0.3 else amount(rng, zero=0)
        pairs.append([(direction, target, high, actual, cap, False) for actual in (less, more)])
    for pair, low, high in zip(pairs, told([p[0] for p in pairs]), told([p[1] for p in pairs])):
        worse, better = (low, high) if pair[0][0] in ("maximize", "range") else (high, low)
        assert worse[0] <= better[0] and worse[1] <= better[1], (pair, low, high)


def test_a_cap_bounds_and_changes_nothing_below_it():
    rng = random.Random(SEED + 4)
    cases = [(rng.choice(["maximize", "minimize", "minimize_inverse"]), amount(rng, zero=0), "-", amount(rng, zero=0), amount(rng, zero=0), False) for _ in range(N)]
    for case, (uncapped, capped), (same, free) in zip(cases, told(cases), told([(*case[:4], "-", False) for case in cases])):
        assert uncapped == same == free, case
        assert 0 <= capped <= F(case[4]) and capped == (uncapped if uncapped <= F(case[4]) else F(case[4])), case


def test_a_mean_lies_between_and_does_not_heed_the_scale_of_weights():
    rng = random.Random(SEED + 5)
    cases = [[(amount(rng, zero=0), amount(rng)) for _ in range(rng.randint(1, 12))] for _ in range(2_000)]
    plain = run(["total " + " ".join(f"{weight} {value}" for weight, value in case) for case in cases])
    scaled = run(["total " + " ".join(f"{weight}e3 {value}" if "e" not in weight else f"{int(weight.split('e')[0])}e{int(weight.split('e')[1]) + 3} {value}"
                                      for weight, value in case) for case in cases])
    for case, mean, other in zip(cases, plain, scaled):
        values = [F(value) for _, value in case]
        assert min(values) <= F(mean) <= max(values) and mean == other, case


# ── the regimes before 2022: docs/rules.md, section 9 ──

def half_up(x):
    return F((2 * x + 1) // 2)


def predicate(x, steps, highest):
    return next((word for bound, word in steps if x >= bound), None) if 0 <= x <= highest else "regime-value"


PP46 = [(91, "sangat_baik"), (76, "baik"), (61, "cukup"), (51, "kurang"), (0, "buruk")]
PP30 = [(110, "sangat_baik"), (90, "baik"), (70, "cukup"), (50, "kurang"), (0, "sangat_kurang")]


def aspect(kind, target, actual):
    t, r = F(target), F(actual)
    if not t:
        return "indicator-target-zero"
    if kind in ("kuantitas", "kualitas"):
        return max(r / t * 100, F(0))
    first = (F("1.76") * t - r) / t * 100
    return max(first if 100 - r / t * 100 <= 24 else 76 - (first - 100), F(0))


def achievement_2021(less, low, high, actual):
    has_range, low, r = high != "-", F(low), F(actual)
    high = F(high) if has_range else low
    if low > high:
        return "indicator-range"
    if has_range and low <= r <= high:
        return F(100)
    bound = high if r > high else low
    if not bound:
        return "indicator-target-zero"
    return max((1 + (1 - r / bound)) * 100 if less else r / bound * 100, F(0))


def value_2021(c, ceiling, rounds):
    if rounds and (79 < c < 80 or 99 < c < 101 and c != 100):
        c = half_up(c)
    if ceiling and c >= 100:
        return F(120)
    for low, value in ((F(110), None), (F(101), lambda x: 110 + F(10, 9) * (x - 101)), (F(100), lambda x: 109 + (x - 100)), (F(99), lambda x: 89 + 20 * (x - 99)),
                       (F(80), lambda x: 70 + (x - 80)), (F(60), lambda x: 50 + (x - 60)), (F(0), lambda x: x / 59 * 49)):
        if value is None and c > low:
            return F(120)
        if value is not None and c >= low:
            return value(c)
    raise AssertionError(c)


def near(rng):
    """Achievements, many at the bounds of the table."""
    return rng.choice([lambda: amount(rng), lambda: str(rng.choice([50, 59, 60, 70, 79, 80, 90, 99, 100, 101, 110, 111, 120])),
                       lambda: f"{rng.choice([59, 75, 79, 90, 99, 100, 109, 110])}.{rng.randint(0, 999):03d}", lambda: f"{rng.randint(0, 130)}.{rng.randint(0, 99):02d}"])()


def test_regimes_are_exact():
    rng = random.Random(SEED + 2)
    lines, wanted = [], []
    for _ in range(N):
        kind = rng.choice(["kuantitas", "kualitas", "waktu", "biaya"])
        target, actual = (amount(rng), amount(rng)) if rng.random() < 0.5 else ("100", near(rng))
        lines.append(f"aspect {kind} {target} {actual}")
        wanted.append(aspect(kind, target, actual))
        less, low, actual = rng.random() < 0.5, amount(rng), amount(rng)
        high = "-" if rng.random() < 0.3 else amount(rng) if rng.random() < 0.3 else str(int(F(low)) + rng.randint(1, 50))
        lines.append(f"achievement {less:d} {low} {high} {actual}")
        wanted.append(achievement_2021(less, low, high, actual))
        c, ceiling, rounds = near(rng), rng.random() < 0.3, rng.random() < 0.5
        lines.append(f"value {c} {ceiling:d} {rounds:d}")
        wanted.append(value_2021(F(c), ceiling, rounds))
        skp, behaviour, weight = near(rng), near(rng), rng.choice([60, 70])
        total = F(skp) * weight / 100 + F(behaviour) * (100 - weight) / 100
        lines.append(f"total {weight} {skp} {behaviour}")
        wanted.append((total, predicate(half_up(total), PP46, 100) if total <= 100 else "regime-value", predicate(total, PP46, 100), predicate(total, PP30, 120),
                       predicate(total, PP30[1:], 120)))
        elements = [near(rng) for _ in range(rng.randint(4, 7))]
        lines.append("behaviour " + " ".join(elements))
        wanted.append(sum(map(F, elements)) / len(elements) if 5 <= len(elements) <= 6 else "regime-behaviours")
    seen = set()
    for line, want, told in zip(lines, wanted, run(lines, "ASND_REGIME_LINES")):
        first, *rest = told.split()
        got = (F(first), *rest) if rest else first if first[0].isalpha() else F(first)
        assert got == want, (line, told, want)
        seen |= set(rest) | ({first} if first[0].isalpha() else set())
    assert seen == {"sangat_baik", "baik", "cukup", "kurang", "buruk", "sangat_kurang", "regime-value", "regime-behaviours", "indicator-target-zero", "indicator-range"}


# ── surveys and times ──


def index_of(counts):
    """docs/service.md, from the raw answers: the mean of the elements' means; None when an element has none."""
    elements = [counts[i:i + 4] for i in range(0, len(counts), 4)]
    if not all(map(sum, elements)):
        return None
    return sum(F(sum((k + 1) * n for k, n in enumerate(e)), sum(e)) for e in elements) / len(elements)


def test_random_surveys_are_exact():
    rng = random.Random(SEED + 3)
    cases = []
    for _ in range(SURVEYS):
        most = rng.choice([1, 5, 40, 1_000_000])
        cases.append([rng.randint(0, most) for _ in range(4 * rng.randint(1, 9))])
    cases += [[n for _ in range(9) for n in (0, 0, a, 10_000 - a)] for a in range(4_600, 4_760)]  # around a bound of the categories
    seen = set()
    for counts, told in zip(cases, run(["survey " + " ".join(map(str, c)) for c in cases], "ASND_SATISFACTION_LINES")):
        index = index_of(counts)
        if index is None:
            assert told == "none", counts
            continue
        converted = half_up(index * 2500) / 100
        category = sum(converted >= F(b) for b in ("25.00", "65.00", "76.61", "88.31")) - 1
        assert told.split() == [str(index), str(converted), str(category)], (counts, told)
        seen.add(category)
    assert seen == {0, 1, 2, 3}


def test_the_order_of_elements_and_respondents_does_not_matter():
    rng = random.Random(SEED + 4)
    lines, raw = [], []
    for _ in range(2_000):
        answers = [[rng.randint(1, 4) for _ in range(9)] for _ in range(rng.randint(1, 30))]
        for order in (answers, rng.sample(answers, len(answers))):
            counts = [sum(a[e] == v for a in order) for e in rng.sample(range(9), 9) for v in (1, 2, 3, 4)]
            lines.append("survey " + " ".join(map(str, counts)))
        raw.append(F(sum(map(sum, answers)), 9 * len(answers)))
    told = run(lines, "ASND_SATISFACTION_LINES")
    for one, other, want in zip(told[::2], told[1::2], raw):
        assert one == other and F(one.split()[0]) == want


def test_pooled_is_what_the_raw_answers_give():
    rng = random.Random(SEED + 5)
    lines, wanted = ["pool 0 3.5"], ["none"]
    for _ in range(SURVEYS):
        surveys = [(rng.choice([0, 1, 2, 4, 5, 8, 10, 20, 25, 40]), rng.randint(1, 5)) for _ in range(rng.randint(1, 8))]
        parts, points, answers = [], F(0), 0
        for respondents, elements in surveys:
            total = rng.randint(respondents * elements, 4 * respondents * elements) if elements in (1, 2, 4, 5) else 3 * respondents * elements
            index = F(total, respondents * elements) if respondents else F(3)
            parts.append(f"{respondents} {float(index):.10f}")
            assert F(f"{float(index):.10f}") == index  # denominators of 2 and 5: no digit is lost
            points, answers = points + F(total, elements), answers + respondents
        lines.append("pool " + " ".join(parts))
        wanted.append(str(points / answers) if answers else "none")
    assert run(lines, "ASND_SATISFACTION_LINES") == wanted


def test_samples_and_percentiles_are_exact():
    rng = random.Random(SEED + 6)
    lines, wanted = [], []
    for _ in range(PEOPLE):
        people = rng.choice([rng.randint(1, 2_000), rng.randint(1, 10**9)])
        lines.append(f"sample {people}")
        wanted.append(half_up(F("3.841") * people / 4 / (F("0.0025") * (people - 1) + F("3.841") / 4)))
        values, percent = sorted(rng.randint(0, 10**6) for _ in range(rng.randint(1, 40))), rng.choice([50, 90])
        place = F(len(values) - 1) * percent / 100
        below = int(place)
        value = values[below] + (place - below) * (values[min(below + 1, len(values) - 1)] - values[below])
        lines.append(f"percentile {percent} " + " ".join(map(str, values)))
        wanted.append(value * 100)
    assert [int(t) for t in run(lines, "ASND_SATISFACTION_LINES")] == wanted


def test_a_larger_population_never_asks_for_fewer_answers():
    people = list(range(0, 30_000)) + [10**k for k in range(5, 12)]
    told = [int(t) for t in run([f"sample {n}" for n in people], "ASND_SATISFACTION_LINES")]
    assert told == sorted(told) and all(0 <= t <= n for t, n in zip(told, people)) and told[-1] == 384


def test_the_measure_of_things_does_not_matter():
    """Target and result in other units give the same achievement; a range of one value is a target; between the bounds all are alike, as far from one as from the other."""
    rng = random.Random(SEED + 9)
    whole = lambda: rng.randint(1, 10**6)  # noqa: E731
    cases = []
    for _ in range(N):
        direction, low = rng.choice(["maximize", "minimize", "minimize_inverse", "range"]), whole()
        cases.append((direction, low, low + whole() if direction == "range" else None, whole(), rng.choice([2, 3, 7, 1000])))
    line = lambda d, t, h, r, k: (d, str(t * k), "-" if h is None else str(h * k), str(r * k), "-", False)  # noqa: E731
    assert told([line(d, t, h, r, 1) for d, t, h, r, _ in cases]) == told([line(*c) for c in cases])
    points = [(whole(), whole()) for _ in range(2_000)]
    assert told([("range", str(t), str(t), str(r), "-", False) for t, r in points]) == told([("maximize", str(t), "-", str(r), "-", False) for t, r in points])
    spans = [(low, low + 2 * half, half, rng.randint(0, half)) for low, half in points]
    assert set(told([("range", str(low), str(high), str(low + half + s * off), "-", False) for low, high, half, off in spans for s in (1, -1)])) == {(F(100), F(100))}


# ── learning hours: BPS's table, letter B-031/BPS/2600/02/2019; docs/learning-hours.md ──

FORMS = {"B3": ("jp", "1", "-", "-"), "B3x": ("jp", "1.2", "-", "-"), "B6": ("unit", "4", "-", "-"), "C1": ("unit", "2", "-", "2"), "C2": ("unit", "2", "-", "2"),
         "C3": ("upto", "3", "-", "-"), "C9": ("upto", "2", "-", "-"), "C9x": ("upto", "2.4", "1.2", "-"), "C5": ("unit", "20", "-", "-"), "-": ("unit", "-", "-", "-")}


def worth(form, amount, jp, minutes):
    """What is printed, or whole 45 minutes of it; by the form's row."""
    printed = F(int(minutes) // 45) if minutes != "-" else F(jp) if jp != "-" else None
    by, unit, factor, _ = FORMS[form]
    if form == "-":
        return printed or F(0)
    times = F(1) if amount == "-" else F(amount)
    if by == "jp":
        return (printed or F(0)) * F(unit)
    if by == "upto":
        return times * F(unit) if printed is None else min(printed * (F(factor) if factor != "-" else 1), times * F(unit))
    return printed if amount == "-" and printed is not None else times * F(unit)


def counted(trainings):
    told, used = [], {}
    for n, (form, amount, jp, minutes, day, paper, title) in enumerate(trainings):
        is_same = any(paper == p if "-" not in (paper, p) else title == t and day == d for *_, d, p, t in trainings[:n])
        value = worth(form, amount, jp, minutes)
        most = FORMS[form][3]
        counts = F(0) if is_same else value
        if not is_same and most != "-":
            place = form, day[:2]
            counts = min(value, max(F(0), F(most) * F(FORMS[form][1]) - used.get(place, 0)))
            used[place] = used.get(place, 0) + value
        told.append((value, counts, is_same))
    return told


def test_learning_hours_are_exact():
    rng = random.Random(SEED + 10)
    some = lambda most: rng.choice(["-", str(rng.randint(0, most)), f"{rng.randint(0, most)}.{rng.randint(0, 99):02d}"])  # noqa: E731
    cases = [[(rng.choice(list(FORMS)), some(12), some(40), rng.choice(["-", "-", str(rng.randint(0, 2000))]), rng.choice(["0110", "0131", "0201", "0228"]),
               rng.choice(["-", "-", "L/1", "L/2"]), rng.choice(["a", "b", "c"])) for _ in range(rng.randint(1, 6))] for _ in range(30_000)]
    assert sum(map(len, cases)) > 100_000
    lines = [" ".join(",".join((form, *FORMS[form], *rest)) for form, *rest in case) for case in cases]
    seen = set()
    for case, line in zip(cases, run(lines, "ASND_HOURS_LINES")):
        got = [(*map(F, word.rstrip("=").split(":")), word.endswith("=")) for word in line.split()]
        assert got == counted(case), (case, line)
        seen |= {(value > counts, same) for value, counts, same in got}
    assert seen >= {(False, False), (True, False), (True, True)}


def test_minutes_are_whole_hours_of_45():
    told = [F(line.split(":")[1]) for line in run([f"-,unit,-,-,-,-,-,{m},0110,-,a" for m in range(5_000)], "ASND_HOURS_LINES")]
    assert told == [F(m - m % 45, 45) for m in range(5_000)]
