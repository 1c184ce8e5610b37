# SPDX-License-Identifier: Apache-2.0
"""What finds and shows the faults: scripts/test.sh's closing words, a sanitizer's report out of a log, the scan of the logs."""
import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import contract as contracts, sanitizer

ROOT = Path(__file__).resolve().parents[2]
FRAMES = [f"    #{n} function_{n} file.c:{n}" for n in range(120)]
RACE = ["==================", "WARNING: ThreadSanitizer: data race (pid=1)", *FRAMES, "SUMMARY: ThreadSanitizer: data race file.c:1", "=================="]
LEAK = ["==7==ERROR: LeakSanitizer: detected memory leaks", "", "Direct leak of 8 byte(s)"]
UNDEFINED = ["src/x.c:3:5: runtime error: shift exponent 64 is too large", "    #0 f src/x.c:3"]
LINE = json.dumps({"event": "request"}).replace(" ", "")


@pytest.mark.parametrize("said", [RACE, LEAK, UNDEFINED], ids=["race", "leak", "undefined"])
def test_a_report_comes_out_of_a_log_whole(said):
    log = [LINE, *said[:2], LINE, *said[2:], LINE]
    assert sanitizer.report("\n".join(log)) == "\n".join(said)


def test_a_very_long_report_says_how_much_is_missing():
    lines = sanitizer.report("\n".join(RACE + RACE)).splitlines()
    assert lines[:sanitizer.LINES] == (RACE + RACE)[:sanitizer.LINES]
    assert lines[sanitizer.LINES:] == [f"… {2 * len(RACE) - sanitizer.LINES} more lines"]


def test_a_log_without_a_report_has_none():
    assert sanitizer.report(f"{LINE}\nsomething else\n") == ""


def scan(tmp_path, *lines):
    (tmp_path / "daemons").mkdir()
    (tmp_path / "daemons/a.log").write_text("\n".join([LINE] * 110 + list(lines)) + "\n")
    (tmp_path / "planted.txt").write_text("".join(f"planted-secret-{n}\n" for n in range(7)))
    done = subprocess.run([sys.executable, str(ROOT / "tests/support/scan_logs.py"), str(tmp_path)], text=True, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.splitlines()[:-1]


@pytest.mark.parametrize("lines, faults", [
    ([], []), (["[]"], ["a.log:111: is no JSON object: []"]), (["word", "word"], ["a.log:111: is no JSON object: word", "a.log:112: is no JSON object: word"]),
    (RACE, ["a.log:111: holds the report of a sanitizer"]), ([*LEAK, LINE, *RACE], ["a.log:111: holds the report of a sanitizer"]),
    ([*LEAK, "at planted-secret-3"], ["a.log:111: holds the report of a sanitizer", "a.log:114: holds a planted secret or personal datum (plante…)"]),
    ([LINE[:-1] + ',"x":"planted-secret-6"}'], ["a.log:111: holds a planted secret or personal datum (plante…)"]),
])
def test_each_fault_of_a_log_is_one(tmp_path, lines, faults):
    assert scan(tmp_path, *lines) == (1 if faults else 0, faults)


def test_a_scan_of_nothing_proves_nothing(tmp_path):
    (tmp_path / "daemons").mkdir()
    (tmp_path / "planted.txt").write_text("one\n")
    assert subprocess.run([sys.executable, str(ROOT / "tests/support/scan_logs.py"), str(tmp_path)], capture_output=True, timeout=60, check=False).returncode == 1


@pytest.mark.parametrize("spoil", [lambda page: page["data"].append({**page["data"][0], "never": 1}), lambda page: page["data"].append(1), lambda page: page.update(more=1),
                                   lambda page: page.pop("page"), lambda page: page.update(data={})], ids=["member", "no-row", "beside", "without", "no-list"])
def test_a_page_whose_rows_are_known_is_held_against_the_contract_all_the_same(spoil):
    contract = contracts.Contract()
    operation = contract.operations["listUnits"]
    content = operation.response(200)["content"]["application/json"]
    schema, page = content["schema"], copy.deepcopy(content["example"] if "example" in content else contract.resolve(next(iter(content["examples"].values())))["value"])
    assert contract.faults(schema, page) == contract.reply_faults(schema, page) == contract.reply_faults(schema, page) == []
    spoil(page)
    assert contract.reply_faults(schema, page) == contract.faults(schema, page) != []


@pytest.fixture
def stages(tmp_path):
    """scripts/test.sh in a tree of its own, where these stages hold what a test gives and building takes no time."""
    (tmp_path / "scripts").mkdir()
    for name in ("test.sh", "lib.sh", "packages.txt"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    cmake = tmp_path / "bin/cmake"
    cmake.parent.mkdir()
    cmake.write_text("#!/bin/sh\n")
    cmake.chmod(0o755)

    def start(**tests):
        for stage, text in tests.items():
            file = tmp_path / "tests" / {"tsan": "concurrent"}.get(stage, stage) / {"fuzz": "run.sh"}.get(stage, "test_it.py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            file.chmod(0o755)
        environment = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("ASND_")}
        return subprocess.Popen(["bash", str(tmp_path / "scripts/test.sh"), "--only", ",".join(tests)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**environment, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "tests")}, start_new_session=True)

    def run(**tests):
        process = start(**tests)
        text, _ = process.communicate(timeout=120)
        return process.returncode, text
    run.start = start
    return run


FINE = "def test_fine():\n    pass\n"


def test_the_closing_words_show_each_failed_stage_in_order(stages):
    status, text = stages(tree="def test_first():\n    assert 1 == 2, 'first fault'\n", check=FINE,
                          tsan="import pytest\n@pytest.fixture\ndef broken():\n    raise ValueError('second fault')\ndef test_second(broken):\n    pass\n")
    assert status == 1
    closing = text[text.index("── tree failed ──"):]
    order = [closing.index(word) for word in ("── tree failed ──", "FAILED tests/tree/test_it.py::test_first", "| E   AssertionError: first fault",
                                              "── tsan failed ──", "ERROR tests/concurrent/test_it.py::test_second", "| E   ValueError: second fault")]
    assert order == sorted(order)
    assert "── check" not in text
    assert re.search(r"\n\n\d+ passed, 2 failed\n$", closing)


def test_the_closing_words_are_short_when_all_is_well(stages):
    status, text = stages(tree=FINE, check=FINE)
    assert status == 0 and "──" not in text and text.endswith("\n3 passed, 0 failed\n"), text  # and one for the build


# Waits for a file, at most a minute.
AWAITS = "import time, pathlib\ndef test_later():\n    end = time.monotonic() + 60\n    while not pathlib.Path({file!r}).exists():\n        assert time.monotonic() < end\n        time.sleep(0.01)\n"


def test_what_fails_beside_is_said_at_once_and_told_in_its_turn(stages, tmp_path):
    go = tmp_path / "go"
    process = stages.start(tsan=AWAITS.format(file=str(go)), fuzz="#!/bin/sh\necho a crash\nexit 1\n")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "fuzz has failed meanwhile" in line:
            go.touch()
    assert process.wait(timeout=60) == 1
    text = "".join(lines)
    order = [text.index(word) for word in ("fuzz has failed meanwhile", "\nok       tsan", "\nFAIL     fuzz", "── fuzz failed ──", "| a crash", "\n\n2 passed, 1 failed\n")]
    assert order == sorted(order), text  # the build is the other that passed


def test_the_stages_go_on_while_one_runs_beside_them(stages, tmp_path):
    go = tmp_path / "go"
    status, text = stages(tsan=f"import pathlib\ndef test_it():\n    pathlib.Path({str(go)!r}).touch()\n", fuzz=f"#!/bin/sh\nuntil [ -e {go} ]; do sleep 0.01; done\n")
    assert status == 0 and [line.split()[:2] for line in text.splitlines()[:3]] == [["ok", "clang"], ["ok", "tsan"], ["ok", "fuzz"]], text


MEETS = "import pathlib\ndef test_here():\n    pathlib.Path({here!r}).touch()\n"


def test_two_stages_run_at_once_and_are_told_in_their_turn(stages, tmp_path):
    """Each waits for the other; the one that comes first in the list ends last."""
    one, other, last = (str(tmp_path / name) for name in ("one", "other", "last"))
    process = stages.start(tree=MEETS.format(here=one) + AWAITS.format(file=other) + AWAITS.format(file=last).replace("test_later", "test_end"),
                           tsan=MEETS.format(here=other) + AWAITS.format(file=one) + "def test_fault():\n    assert False\n")
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "tsan has failed meanwhile" in line:
            Path(last).touch()
    assert process.wait(timeout=60) == 1
    assert [line.split()[:2] for line in lines[:3]] == [["tsan", "has"], ["ok", "tree"], ["FAIL", "tsan"]], lines


def test_what_holds_something_to_a_time_runs_alone(stages, tmp_path):
    """The one before it waits some seconds for it in vain; it then finds that one ended."""
    began, ended = str(tmp_path / "began"), str(tmp_path / "ended")
    before = AWAITS.format(file=began).replace("+ 60", "+ 4").replace("        assert time.monotonic() < end\n", "        if time.monotonic() > end:\n            break\n")
    status, text = stages(tsan=before + MEETS.format(here=ended), attack=f"import pathlib\ndef test_it():\n    pathlib.Path({began!r}).touch()\n    assert pathlib.Path({ended!r}).exists()\n")
    assert status == 0 and "ok       attack" in text, text


def test_what_mostly_waits_takes_no_lane(stages, tmp_path):
    """Three meet, of which one waits; each ends once the other two are there."""
    here = {name: str(tmp_path / name) for name in ("tree", "chaos", "tsan")}

    def meets(name):
        return MEETS.format(here=here[name]) + "".join(AWAITS.format(file=file).replace("test_later", f"test_{other}") for other, file in here.items() if other != name)
    status, text = stages(**{name: meets(name) for name in here}, release=FINE)
    told = {line.split()[1]: line.split()[0] for line in text.splitlines() if line.startswith(("ok", "FAIL"))}
    assert {name: told.get(name) for name in here} == dict.fromkeys(here, "ok"), text


def test_how_long_a_stage_kept_processors_busy_is_told(stages):
    """By a child of the runner's, too; one that only waits is told apart."""
    works = "import subprocess, sys\ndef test_it():\n    subprocess.run([sys.executable, '-c', 'import time\\nwhile time.process_time() < 2: pass'], check=True)\n"
    waits = "import subprocess\ndef test_it():\n    subprocess.run(['sleep', '2'], check=True)\n"
    status, text = stages(tree=works, check=waits)
    busy = {line.split()[1]: float(line.split()[4]) for line in text.splitlines() if line.startswith("ok")}
    assert status == 0 and busy["tree"] >= 2 > busy["check"], text
    total = re.search(r"\n(\d+\.\d) minutes; processors were busy for (\d+\.\d)\n\n3 passed, 0 failed\n$", text)
    assert total and abs(float(total[2]) - sum(busy.values()) / 60) < 0.06, text


def test_a_stage_waits_for_what_it_needs_however_far_off(stages):
    """cppcheck for format, and that for the build; secrets for all."""
    status, text = stages(cppcheck="", secrets="", tsan=FINE)
    assert status == 1 and [line.split()[1] for line in text.splitlines() if line.startswith(("ok", "FAIL"))][:5] == ["asan", "format", "cppcheck", "tsan", "secrets"], text


@pytest.mark.parametrize("sent, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "terminated"])
def test_a_signal_ends_the_stage_and_what_runs_beside_it(sent, status, stages, tmp_path):
    beside, stage = tmp_path / "beside", tmp_path / "stage"
    process = stages.start(tsan=f"import pathlib\ndef test_it():\n    pathlib.Path({str(stage)!r}).touch()\n" + AWAITS.format(file="/nowhere/at/all"),
                           fuzz=f"#!/bin/sh\necho $$ > {beside}.new; mv {beside}.new {beside}; exec sleep 600\n")
    end = time.monotonic() + 60
    while not (beside.exists() and stage.exists()):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.01)
    other = Path("/proc") / beside.read_text().strip()
    os.killpg(process.pid, sent)
    process.communicate(timeout=60)
    assert process.returncode == status
    end = time.monotonic() + 60
    while other.exists() and " Z " not in (other / "stat").read_text():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_race_is_shown_in_full(stages):
    status, text = stages(tsan=f"def test_race():\n    raise AssertionError('asnd ended with 99\\n' + {chr(10).join(RACE)!r})\n")
    assert status == 1
    shown = [re.sub(r"^    \| (E   +)?", "", line).strip() for line in text[text.index("── tsan failed"):].splitlines()]
    for line in RACE:
        assert line.strip() in shown, line
    assert "FAILED tests/concurrent/test_it.py::test_race" in text


ELSEWHERE = {"PGHOST": "/nowhere", "PGPORT": "1", "PGUSER": "nobody", "PGDATABASE": "none", "PGPASSWORD": "none", "PGSERVICE": "none", "PGOPTIONS": "-c none=1 -x",
             "PGDATA": "/nowhere", "PGSSLMODE": "none", "PGTZ": "none"}
ASKS = """
import sys
sys.path.insert(0, "tests")
from support import postgres
cluster = postgres.Cluster()
print(postgres.query(cluster.database_url("postgres"), "SELECT 40 + 2")[0][0])
cluster.close()
"""


@pytest.mark.parametrize("within", [[], ["tests/unit/with-postgres.sh"]], ids=["cluster-of-its-own", "cluster-that-is-given"])
def test_another_server_of_the_shell_is_not_asked(within):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ASND_TEST_")}
    done = subprocess.run([*within, sys.executable, "-c", ASKS], cwd=ROOT, env={**environment, **ELSEWHERE}, text=True, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


def test_a_command_beside_the_cluster_finds_it():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ASND_TEST_")}
    command = ["tests/unit/with-postgres.sh", "sh", "-c", 'psql -XAtc "SELECT 40 + 2" "$ASND_TEST_DATABASE_URL"']
    done = subprocess.run(command, cwd=ROOT, env={**environment, **ELSEWHERE}, text=True, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
