# SPDX-License-Identifier: Apache-2.0
"""A whole regency with every kind of damage, row by row as its maker (tools/generate.py) says it must come out; and what an import does to
records that are there already. The importer is asked by the command line, the database read beside it."""
import csv
import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from support import daemon as daemons, postgres

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 6000
COUNTS = ("rows", "created", "updated", "unchanged", "refused", "repaired", "warnings")


def generate(directory, *arguments):
    subprocess.run([sys.executable, str(ROOT / "tools/generate.py"), "--out", str(directory), *map(str, arguments)], check=True, timeout=300)
    return directory


def table(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.fixture(scope="module")
def regency(tmp_path_factory):
    return generate(tmp_path_factory.mktemp("regency"), "--people", PEOPLE)


@pytest.fixture(scope="module")
def expected(regency):
    return table(regency / "expected.csv")


@pytest.fixture
def empty(cluster, empty_template):
    name = cluster.create(template=empty_template)
    yield cluster.database_url(name)
    cluster.drop(name)


@pytest.fixture(scope="module")
def with_units(cluster, empty_template, regency):
    """Name of a database with the regency's units."""
    name = cluster.create(template=empty_template, label="units")
    daemons.run(cluster.database_url(name), "import", "units", regency / "units.csv")
    yield name
    cluster.drop(name)


@pytest.fixture(scope="module")
def with_people(cluster, with_units, regency, tmp_path_factory):
    """Name of a database with the regency's people as well, what the import counted, and the rows that it refused."""
    name, rejects = cluster.create(template=with_units, label="people"), tmp_path_factory.mktemp("refused") / "rejects.csv"
    counts = take(cluster.database_url(name), regency / "asn.csv", "--rejects", rejects)
    yield name, counts, rejects
    cluster.drop(name)


@pytest.fixture
def settled(cluster, with_units):
    """A copy of that with the units."""
    name = cluster.create(template=with_units)
    yield cluster.database_url(name)
    cluster.drop(name)


@pytest.fixture
def peopled(cluster, with_people):
    """A copy of that with the people."""
    name = cluster.create(template=with_people[0])
    yield cluster.database_url(name)
    cluster.drop(name)


def take(url, path, *options, kind="asn"):
    """Imports; the counts of the newest record."""
    daemons.run(url, "import", kind, path, *options)
    return dict(zip(COUNTS, postgres.query(url, f"SELECT {', '.join(COUNTS)} FROM import ORDER BY id DESC LIMIT 1")[0]))


def take_text(url, directory, text, *options, kind="asn", suffix=".csv"):
    path = directory / f"file{suffix}"
    path.write_text(text, encoding="utf-8", newline="")
    return take(url, path, *options, kind=kind)


def refused(url):
    """{line: [(column or -, code)]} of the newest import."""
    rows = postgres.query(url, "SELECT line, faults FROM import_reject WHERE position > 0 AND import_id = (SELECT max(id::text)::uuid FROM import)")
    return {line: [(f["column"] or "-", f["code"]) for f in faults] for line, faults in rows}


def faults_of(row):
    return list(zip(row["columns"].split(), row["codes"].split()))


def wanted_counts(expected):
    taken = [r for r in expected if r["outcome"] == "created"]
    return {"rows": len(expected), "created": len(taken), "updated": 0, "unchanged": 0, "refused": len(expected) - len(taken),
            "repaired": sum(len(r["repaired"].split()) for r in taken), "warnings": sum(len(r["warnings"].split()) for r in taken)}


def test_every_row_comes_out_as_its_maker_says(peopled, with_people, regency, expected):
    _, counts, rejects = with_people
    assert counts == wanted_counts(expected)
    assert refused(peopled) == {int(r["line"]): faults_of(r) for r in expected if r["outcome"] == "refused"}
    sent = [(int(r["asnd_line"]), [(c or "-", k) for c, k in zip(r["asnd_column"].split(" | "), r["asnd_code"].split(" | "))]) for r in table(rejects)]
    assert sent == [(int(r["line"]), faults_of(r)) for r in expected if r["outcome"] == "refused"], "in order, each with its faults"
    stored = Counter(tuple(w) for w, in postgres.query(peopled, "SELECT warnings FROM asn"))
    assert stored == Counter(tuple(r["warnings"].split()) for r in expected if r["outcome"] == "created")
    # Again: nothing changes, the same rows are refused.
    before = postgres.query(peopled, "SELECT nip, version, updated_at FROM asn ORDER BY nip")
    again = take(peopled, regency / "asn.csv")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, wanted_counts(expected)["created"])
    assert postgres.query(peopled, "SELECT nip, version, updated_at FROM asn ORDER BY nip") == before


def test_every_row_of_the_histories_comes_out_as_its_maker_says(peopled, regency):
    expected, rows = table(regency / "history-expected.csv"), table(regency / "history.csv")
    taken = [r for r in expected if r["outcome"] == "created"]
    assert [int(r["line"]) for r in expected] == [n + 2 for n in range(len(rows))], "each row a line"
    assert {r["outcome"] for r in expected} == {"created", "unchanged", "refused"}
    counts = take(peopled, regency / "history.csv", kind="history")
    assert counts == {"rows": len(rows), "created": len(taken), "updated": 0, "unchanged": sum(r["outcome"] == "unchanged" for r in expected),
                      "refused": sum(r["outcome"] == "refused" for r in expected), "repaired": sum(len(r["repaired"].split()) for r in taken), "warnings": 0}
    assert refused(peopled) == {int(r["line"]): faults_of(r) for r in expected if r["outcome"] == "refused"}
    stored = postgres.query(peopled, "SELECT remote_id FROM history WHERE remote_id IS NOT NULL AND NOT is_void ORDER BY 1")
    assert [i for i, in stored] == [r["ID RIWAYAT"] for r, e in zip(rows, expected) if e["outcome"] == "created"]
    again = take(peopled, regency / "history.csv", kind="history")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, len(rows) - counts["refused"])


def test_histories_change_nothing_that_the_record_says(peopled, regency):
    """What a career tells lies before what the record tells."""
    shown = "SELECT nip, kind, rank, rank_since, position, unit_id, legal_status, education_level, education FROM asn ORDER BY nip"
    before = postgres.query(peopled, shown)
    take(peopled, regency / "history.csv", kind="history")
    assert postgres.query(peopled, shown) == before


def test_letters_of_another_code_page_come_back_as_letters(peopled, with_people, expected):
    """A plain "CSV" of a spreadsheet is Windows-1252: the refused rows have its letters, so that nobody types names anew. Nothing else is wrong with these rows."""
    wanted = sum(r["dirt"] == "latin-1" for r in expected)
    assert wanted and with_people[2].read_text(encoding="utf-8").count("José") == wanted
    before = postgres.query(peopled, "SELECT count(*) FROM asn WHERE name LIKE '%José%'")[0][0]
    take(peopled, with_people[2])
    assert postgres.query(peopled, "SELECT count(*) FROM asn WHERE name LIKE '%José%'")[0][0] == before + wanted


def test_a_character_that_no_code_page_has_is_not_taken_unmended(settled, tmp_path):
    head, row = "nip,kind,name,unit_code", "199001152015031001,PNS,Jos\ufffd P,MJU-BKPP"
    counts = take_text(settled, tmp_path, f"{head}\n{row}\n")
    assert counts["refused"] == 1 and [f[1] for faults in refused(settled).values() for f in faults] == ["lost-character"]


def test_mended_values_are_those_that_were_meant(peopled, expected, tmp_path):
    """The damaged file stores for every repaired row what the undamaged one stores."""
    columns = ("nip", "name", "birth_date", "nik", "rank_since", "phone")
    damaged = {r[0]: r for r in postgres.query(peopled, f"SELECT email, {', '.join(columns)} FROM asn WHERE email IS NOT NULL")}
    postgres.query(peopled, "SET session_replication_role = replica; DELETE FROM history; DELETE FROM asn")
    take(peopled, generate(tmp_path / "clean", "--people", PEOPLE, "--clean") / "asn.csv")
    clean = {r[0]: r for r in postgres.query(peopled, f"SELECT email, {', '.join(columns)} FROM asn")}
    repaired = [f"pegawai.{i}@example.go.id" for i, row in enumerate(expected) if row["repaired"] and row["repaired"] != "name"]
    assert len(repaired) > 50
    for email in repaired:
        assert damaged[email] == clean[email]


def test_a_dry_run_finds_the_same_and_leaves_nothing(settled, regency, expected):
    done = daemons.run(settled, "import", "asn", regency / "asn.csv", "--dry-run")
    want = wanted_counts(expected)
    assert f"{want['rows']} rows: {want['created']} created" in done.stdout and f"{want['refused']} refused" in done.stdout
    assert postgres.query(settled, "SELECT (SELECT count(*) FROM asn), (SELECT count(*) FROM import WHERE kind = 'asn'), "
                                   "(SELECT count(*) FROM import_reject)") == [(0, 0, 0)]


def test_ndjson_comes_out_like_csv(settled, regency, expected, tmp_path):
    """All rows whose damage is not of the CSV itself."""
    with open(regency / "asn.csv", "rb") as file:
        text = file.read().decode("utf-8-sig", errors="replace")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    pairs = [(row, want) for row, want in zip(rows[1:], expected, strict=True) if want["dirt"] not in ("row-cut", "quote-in-quotes", "latin-1")]
    lines = [json.dumps(dict(zip(rows[0], row)), ensure_ascii=False) for row, _ in pairs]
    counts = take_text(settled, tmp_path, "\n".join(lines), suffix=".ndjson")
    assert counts == wanted_counts([want for _, want in pairs])
    assert refused(settled) == {n: faults_of(want) for n, (_, want) in enumerate(pairs, 1) if want["outcome"] == "refused"}


HEAD = "nip,kind,name,unit_code"
PERSON = "199001152015031001"
FULL = (f"{HEAD},birth_date,sex,nik,appointed_on,title_back,phone,rank\n"
        f"{PERSON},PNS,Sitti Contoh,MJU-BKPP,1990-01-16,F,7602015501900001,2015-04-01,S.Kom.,081200000001,III/a\n")


def person(url):
    return postgres.query(url, "SELECT title_back, phone, rank, warnings, birth_date::text, version FROM asn WHERE nip = %s", (PERSON,))[0]


def test_what_the_file_does_not_tell_stays(settled, tmp_path):
    assert take_text(settled, tmp_path, FULL)["warnings"] == 4
    before = person(settled)
    assert before == ("S.Kom.", "081200000001", "III/a", ["CON_1", "CON_2", "CON_3", "NIK_BIRTH"], "1990-01-16", 1)
    assert take_text(settled, tmp_path, f"{HEAD}\n{PERSON},PNS,Sitti Contoh,MJU-BKPP\n")["unchanged"] == 1
    assert person(settled) == before


def test_an_empty_cell_empties_and_a_derived_one_says_nothing(settled, tmp_path):
    take_text(settled, tmp_path, FULL)
    assert take_text(settled, tmp_path, f"{HEAD},title_back,phone,birth_date\n{PERSON},PNS,Sitti Contoh,MJU-BKPP,,-,null\n")["updated"] == 1
    assert person(settled)[:2] + person(settled)[4:] == (None, None, "1990-01-16", 2)


def test_warnings_go_when_what_they_were_about_is_put_right(settled, tmp_path):
    take_text(settled, tmp_path, FULL)
    take_text(settled, tmp_path, f"{HEAD},birth_date\n{PERSON},PNS,Sitti Contoh,MJU-BKPP,1990-01-15\n")
    assert person(settled)[3] == ["CON_1", "CON_3"], "the birth is now that of the NIK that is there, though the file does not tell it"
    take_text(settled, tmp_path, f"{HEAD},birth_date,sex,appointed_on,nik\n{PERSON},PNS,Sitti Contoh,MJU-BKPP,1990-01-15,M,2015-03-01,-\n")
    assert person(settled)[3] == []


def test_a_file_that_breaks_off_in_a_batch_leaves_nothing(settled, regency):
    """The program dies while it reads: its transaction goes with it."""
    content = (regency / "asn.csv").read_bytes()
    process = subprocess.Popen([str(daemons.program()), "import", "asn", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, "ASND_DATABASE_URL": settled})
    process.stdin.write(content[:-2000])
    process.stdin.flush()
    process.kill()
    process.wait()
    end = time.monotonic() + 60
    while postgres.query(settled, "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'asnd%'"):
        assert time.monotonic() < end, "its session is still there"
    assert postgres.query(settled, "SELECT (SELECT count(*) FROM asn), (SELECT count(*) FROM import WHERE kind = 'asn')") == [(0, 0)]


# ── units ──

def tree(url):
    return dict(postgres.query(url, "SELECT u.code, p.code FROM unit u LEFT JOIN unit p ON p.id = u.parent_id WHERE u.code LIKE 'X%%'"))


UNITS = "code,name,kind,parent_code\n"
CHAIN = UNITS + "XA,A,dinas,\nXB,B,bidang,XA\nXC,C,seksi,XB\nXD,D,seksi,XC\n"

MOVES = {  # rows after CHAIN; {refused code: fault}; the tree that must be there then
    "parent-and-child-change-places": ("XC,C,seksi,XA\nXB,B,bidang,XC\n", {}, {"XA": None, "XB": "XC", "XC": "XA", "XD": "XC"}),
    "below-a-unit-that-is-below-it": ("XB,B,bidang,XD\n", {"XB": "unit-cycle"}, {"XA": None, "XB": "XA", "XC": "XB", "XD": "XC"}),
    "each-below-the-other": ("XE,E,seksi,XF\nXF,F,seksi,XE\nXG,G,seksi,XF\nXH,H,seksi,XA\n",
                             {"XE": "unit-cycle", "XF": "unit-cycle", "XG": "parent-refused"},
                             {"XA": None, "XB": "XA", "XC": "XB", "XD": "XC", "XH": "XA"}),
    "unknown-above": ("XE,E,seksi,XZ\nXF,F,seksi,XE\n", {"XE": "unit-unknown", "XF": "parent-refused"},
                      {"XA": None, "XB": "XA", "XC": "XB", "XD": "XC"}),
    "twice": ("XE,E,seksi,XA\nXE,Lain,seksi,XB\n", {"XE": "duplicate-row"}, {"XA": None, "XB": "XA", "XC": "XB", "XD": "XC", "XE": "XA"}),
    "to-the-top": ("XC,C,dinas,\n", {}, {"XA": None, "XB": "XA", "XC": None, "XD": "XC"}),
    "two-change-places": ("XE,E,dinas,\nXF,F,bidang,XE\nXB,B,bidang,XE\nXF,F,bidang,XA\n", {"XF": "duplicate-row"},
                          {"XA": None, "XB": "XE", "XC": "XB", "XD": "XC", "XE": None, "XF": "XE"}),
    "a-unit-and-one-below-it-side-by-side": ("XE,E,dinas,\nXB,B,bidang,XE\nXC,C,bidang,XA\n", {},
                                             {"XA": None, "XB": "XE", "XC": "XA", "XD": "XC", "XE": None}),
    "upside-down": ("XD,D,seksi,\nXC,C,seksi,XD\nXB,B,bidang,XC\nXA,A,dinas,XB\n", {}, {"XA": "XB", "XB": "XC", "XC": "XD", "XD": None}),
    "the-row-above-is-refused": ("XE,E,tak ada,XA\nXF,F,seksi,XE\nXC,C,seksi,XF\nXG,G,seksi,XC\n",
                                 {"XE": "unit-kind-unknown", "XF": "parent-refused", "XC": "parent-refused"},
                                 {"XA": None, "XB": "XA", "XC": "XB", "XD": "XC", "XG": "XC"}),
    "a-circle-that-a-refused-move-leaves": ("XA,A,dinas,XD\nXB,B,bidang,XD\nXE,E,seksi,XB\n", {"XA": "unit-cycle", "XB": "unit-cycle"},
                                            {"XA": None, "XB": "XA", "XC": "XB", "XD": "XC", "XE": "XB"}),
}


@pytest.mark.parametrize("case", MOVES.keys())
def test_units_are_judged_as_the_tree_that_they_would_make(case, empty, tmp_path):
    rows, faults, after = MOVES[case]
    assert take_text(empty, tmp_path, CHAIN, kind="units")["created"] == 4
    counts = take_text(empty, tmp_path, UNITS + rows, kind="units")
    told = {raw.split(",")[0]: f[0]["code"] for raw, f in postgres.query(
        empty, "SELECT raw, faults FROM import_reject WHERE position > 0 AND import_id = (SELECT max(id::text)::uuid FROM import)")}
    assert (told, counts["refused"]) == (faults, len(faults))
    assert tree(empty) == after
    again = take_text(empty, tmp_path, UNITS + rows, kind="units")
    assert (again["created"], again["updated"]) == (0, 0) and tree(empty) == after
    wrong = postgres.query(empty, "SELECT u.code FROM unit u JOIN unit p ON p.id = u.parent_id WHERE u.path <> p.path || u.label")
    assert wrong == [], "paths follow their parents"


def test_a_unit_deeper_than_the_tree_may_be_is_refused_alone(empty, tmp_path):
    rows = "".join(f"X{n:02d},Tingkat {n},seksi,{f'X{n - 1:02d}' if n > 1 else ''}\n" for n in range(1, 19))
    counts = take_text(empty, tmp_path, UNITS + rows, kind="units")
    assert (counts["created"], counts["refused"]) == (16, 2)
    assert refused(empty) == {18: [("parent_code", "unit-too-deep")], 19: [("parent_code", "parent-refused")]}


def test_a_move_that_sinks_what_is_below_is_refused_alone(empty, tmp_path):
    """The file does not name what would be too deep: only the move is to blame, and the rows beside it are taken."""
    rows = "".join(f"X{n:02d},Tingkat {n},seksi,{f'X{n - 1:02d}' if n > 1 else ''}\n" for n in range(1, 15))
    take_text(empty, tmp_path, UNITS + rows + "XA,A,dinas,\nXB,B,bidang,XA\nXC,C,seksi,XB\n", kind="units")
    before = tree(empty)
    counts = take_text(empty, tmp_path, UNITS + "XA,A,dinas,X14\nXD,D,seksi,XC\nXE,E,seksi,X01\nX01,Tingkat 1,seksi,\n", kind="units")
    assert (counts["created"], counts["unchanged"], counts["refused"]) == (2, 1, 1)
    assert refused(empty) == {2: [("parent_code", "unit-too-deep")]}
    assert tree(empty) == {**before, "XD": "XC", "XE": "X01"}


def chain(letter, length):
    return "".join(f"X{letter}{n:02d},Tingkat {n},seksi,{f'X{letter}{n - 1:02d}' if n > 1 else ''}\n" for n in range(1, length + 1))


def is_sound(url):
    return postgres.query(url, "SELECT u.code FROM unit u LEFT JOIN unit p ON p.id = u.parent_id "
                               "WHERE u.path <> coalesce(p.path, '') || u.label OR u.depth > 16") == []


def test_long_branches_change_places(empty, tmp_path):
    """In between, one would hang below the other, deeper than the tree may be."""
    take_text(empty, tmp_path, UNITS + chain("A", 15) + chain("B", 15), kind="units")
    before = tree(empty)
    swap = UNITS + "XA02,Tingkat 2,seksi,XB01\nXB02,Tingkat 2,seksi,XA01\n"
    assert take_text(empty, tmp_path, swap, kind="units")["updated"] == 2
    assert tree(empty) == {**before, "XA02": "XB01", "XB02": "XA01"} and is_sound(empty)


def test_a_long_branch_laid_flat_may_sink_as_a_whole(empty, tmp_path):
    """Carried along before they are moved themselves, the lower ones would stand below level 16."""
    take_text(empty, tmp_path, UNITS + chain("A", 12) + chain("B", 14), kind="units")
    flat = "".join(f"XA{n:02d},Tingkat {n},seksi,XA01\n" for n in range(2, 13))
    assert take_text(empty, tmp_path, UNITS + "XA01,Tingkat 1,seksi,XB14\n" + flat, kind="units")["refused"] == 0
    assert is_sound(empty)
    assert postgres.query(empty, "SELECT count(*) FROM unit WHERE depth = 16") == [(11,)]


def test_a_refused_depth_does_not_close_a_circle_for_the_whole_file(empty, tmp_path):
    """XA03 may not go where it would sink its branch. So it stays below XA02, which then may not go below it; the row beside them is taken."""
    take_text(empty, tmp_path, UNITS + chain("A", 6) + chain("B", 14), kind="units")
    before = tree(empty)
    counts = take_text(empty, tmp_path, UNITS + "XA03,Tingkat 3,seksi,XB14\nXA02,Tingkat 2,seksi,XA03\nXC,C,dinas,\n", kind="units")
    assert (counts["created"], counts["refused"]) == (1, 2)
    assert refused(empty) == {2: [("parent_code", "unit-too-deep")], 3: [("parent_code", "unit-cycle")]}
    assert tree(empty) == {**before, "XC": None} and is_sound(empty)


# ── memory, sample ──

def peak_kb(url, path):
    """Memory at its highest; a sanitizer must not keep what was freed."""
    pid = os.posix_spawn(str(daemons.program()), [str(daemons.program()), "import", "asn", str(path)],
                         {**os.environ, "ASND_DATABASE_URL": url, "ASAN_OPTIONS": "quarantine_size_mb=1"}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                                                                                  (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    return usage.ru_maxrss


def test_memory_does_not_grow_with_the_file(settled, tmp_path):
    """Rows that are taken, found unchanged and refused, ten times as many: a few megabytes apart, however many."""
    good = [f"{19700101 + n % 28}{1995 + n % 9}03{1 + n % 2}{n // 252 % 999 + 1:03d},PNS,Pegawai {n},MJU-BKPP" for n in range(1, 2000)]
    sizes = {}
    for factor in (5, 50):
        path = tmp_path / f"{factor}.csv"
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEAD + "\n")
            for n in range(1000 * factor):
                file.write(good[n % len(good)] + "\n" if n % 3 else f"123,PNS,Rusak {n},MJU-BKPP\n")
        sizes[factor] = peak_kb(settled, path)
    assert sizes[50] - sizes[5] < 12 * 1024, sizes


# ── the demo people ──

RANKS = [f"{group}/{letter}" for group, letters in (("I", "abcd"), ("II", "abcd"), ("III", "abcd"), ("IV", "abcde")) for letter in letters]
BANDS = {"II.a": ("IV/c", "IV/d"), "II.b": ("IV/b", "IV/c"), "III.a": ("IV/a", "IV/b"), "III.b": ("III/d", "IV/a"), "IV.a": ("III/c", "III/d")}
FIRST_WORDS = {"II.a": ("Sekretaris",), "II.b": ("Kepala", "Inspektur", "Sekretaris"), "III.a": ("Sekretaris", "Kepala", "Camat", "Inspektur"),
               "III.b": ("Sekretaris", "Kepala"), "IV.a": ("Kepala", "Lurah")}
STEPS = {"Terampil": ("II/c", "II/d"), "Mahir": ("III/a", "III/b"), "Penyelia": ("III/c", "III/d"), "Ahli Pertama": ("III/a", "III/b"),
         "Ahli Muda": ("III/c", "III/d"), "Ahli Madya": ("IV/a", "IV/c")}
STARTS = {"SLTP": "I/c", "SLTA": "II/a", "SLTA Kejuruan": "II/a", "Diploma III/Sarjana Muda": "II/c", "Diploma IV": "III/a", "S-1/Sarjana": "III/a",
          "Profesi": "III/b", "S-2": "III/b", "S-3/Doktor": "III/c"}


def day(text):
    return date(int(text[6:]), int(text[3:5]), int(text[:2]))


def oddities(row):
    """What no personnel office would have in its books."""
    kind, rank, echelon, position, level = (row[c] for c in ("STATUS CPNS PNS", "GOL AKHIR NAMA", "ESELON", "JABATAN NAMA", "TINGKAT PENDIDIKAN NAMA"))
    born, hired, since = day(row["TANGGAL LAHIR"]), day(row["TMT CPNS"]), day(row["TMT GOLONGAN"])
    is_pns, place = kind in ("PNS", "CPNS"), RANKS.index(rank) if "/" in rank else None
    found = {
        "hired as a child, or a PNS after 35": not (20 <= hired.year - born.year and (hired.year - born.year <= 35 or not is_pns)),
        "past the age of retirement": born.year < 2026 - 57,
        "rank before the appointment": since < hired,
        "a graduate too young": level not in ("SLTP", "SLTA", "SLTA Kejuruan") and hired.year - born.year < 21,
        "a rank of the other kind": is_pns != (place is not None),
        "an echelon of somebody who is no PNS": bool(echelon) != (row["JENIS JABATAN NAMA"] == "Jabatan Struktural") or (echelon and kind != "PNS"),
        "a head without a degree": echelon and not level.startswith(("S-", "Diploma IV")),
        "a title that is not the position's": echelon and not position.startswith(FIRST_WORDS[echelon]),
        "a man as midwife": position.startswith("Bidan ") and row["JENIS KELAMIN"] == "Laki-laki",
        "a doctor without a doctor's degree": position.startswith("Dokter") != row["GELAR DEPAN"].startswith(("dr.", "drg.")),
        "a teacher elsewhere, or without a degree": position.startswith("Guru") and not (row["UNOR NAMA"].startswith("S") and level in ("S-1/Sarjana", "S-2")),
    }
    if is_pns and place is not None:
        first, years = RANKS.index(STARTS[level]), 2026 - hired.year
        found["a rank that the years do not give"] = not first <= place <= first + years // 4 or kind == "CPNS" and place != first
        for name, (low, high) in [*STEPS.items(), (echelon, BANDS.get(echelon, ("I/a", "IV/e")))]:
            if name and (name == echelon or position.endswith(name)):
                found["a rank that the position does not have"] = not RANKS.index(low) <= place <= RANKS.index(high)
    return [what for what, is_odd in found.items() if is_odd]


def test_the_demo_people_could_be_real(tmp_path):
    rows = table(generate(tmp_path, "--people", PEOPLE, "--clean") / "asn.csv")
    odd = Counter(what for row in rows for what in oddities(row))
    assert odd == {}
    heads = [r for r in rows if r["ESELON"]]
    assert Counter(r["ESELON"] for r in heads)["II.a"] == 1 and [r["JABATAN NAMA"] for r in heads if r["ESELON"] == "II.a"] == ["Sekretaris Daerah"]
    assert len(heads) > 600 and len({r["UNOR KODE"] for r in heads}) == len(heads), "one head a unit"
    assert len({r["NIP BARU"] for r in rows}) == PEOPLE
    assert set(BANDS) <= {r["ESELON"] for r in rows} and set(STEPS) <= {s for s in STEPS for r in rows if r["JABATAN NAMA"].endswith(s)}


def test_the_sample_is_what_the_generator_makes(tmp_path):
    generate(tmp_path, "--people", 200, "--dirt-every", 5)
    for name in ("asn.csv", "units.csv", "expected.csv", "history.csv", "history-expected.csv"):
        assert (tmp_path / name).read_bytes() == (ROOT / "tests/data/regency" / name).read_bytes(), name
