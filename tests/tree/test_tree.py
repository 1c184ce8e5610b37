# SPDX-License-Identifier: Apache-2.0
"""Rules about the source that no compiler knows: who may include whom, licences, sizes, words."""
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A room may include the headers of those below it (design: the house). Private headers stay within their room.
BELOW = {
    "base": set(),
    "rules": {"base"},
    "contract": {"base"},
    "db": {"base"},
    "http": {"base"},
    "auth": {"base", "contract"},
    "stream": {"base", "db", "rules"},
    "engine": {"base", "contract", "db", "http", "auth", "stream", "rules"},
    "store": {"base", "db"},
    "asn": {"base", "rules", "contract", "db", "auth", "stream", "engine"},
    "reference": {"base", "db", "stream"},
    "training": {"base", "rules", "contract", "db", "auth", "stream", "engine"},
    "performance": {"base", "rules", "contract", "db", "auth", "stream", "engine"},
    "document": {"base", "contract", "db", "auth", "stream", "store", "engine"},
    "service": {"base", "rules", "contract", "db", "auth", "stream", "engine"},
    "access": {"base", "contract", "db", "auth", "engine"},
    "audit": {"base", "contract", "db"},
    "certificate": {"base", "contract", "db", "auth", "stream", "engine"},
    "privacy": {"base", "contract", "db", "auth", "engine"},
}
BASE_HEADERS = {"arena", "buf", "date", "decimal", "log", "macros", "metrics", "problem", "settings", "status", "text", "uuid", "vault"}

MORE_HEADERS = {"matrix": "contract"}  # a second header of a room

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|stub|placeholder|not implemented yet|for now)\b", re.IGNORECASE)


def tracked(*patterns):
    names = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, text=True, capture_output=True, check=True).stdout.split("\n")
    return [ROOT / n for n in names if n and (ROOT / n).is_file()]


def relative(path):
    return str(path.relative_to(ROOT))


SOURCES = tracked("src/*.c", "src/*.h", "include/*.h", "tests/unit/*.c", "tests/unit/*.h", "tests/fuzz/*.c", "bench/*.c")
SCRIPTS = tracked("*.sh", "*.py", ".ci/run")


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_c_files_begin_with_their_licence_and_say_what_they_hold(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "/* SPDX-License-Identifier: Apache-2.0 */"
    if path.suffix == ".c":
        assert lines[1].startswith("/*"), "the second line says what lives here"


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_scripts_carry_their_licence(path):
    head = path.read_text(encoding="utf-8").splitlines()[:3]
    assert any("SPDX-License-Identifier: Apache-2.0" in line for line in head)


@pytest.mark.parametrize("path", [p for p in SOURCES if relative(p).startswith("src/")], ids=relative)
def test_rooms_lean_downwards(path):
    room = relative(path).split("/")[1]
    if room not in BELOW:
        return  # main and cli stand on top of everything
    for kind, name in re.findall(r'^#include ["<](asnd/)?([\w/.-]+)[">]', path.read_text(encoding="utf-8"), re.MULTILINE):
        stem = name.split(".")[0]
        if kind:
            owner = "base" if stem in BASE_HEADERS else MORE_HEADERS.get(stem, stem)
            assert owner == room or owner in BELOW[room], f"{room} includes asnd/{name} of {owner}"
        elif "/" in name and name.split("/")[0] in BELOW:
            assert name.split("/")[0] == room, f"{room} includes the private header {name}"


@pytest.mark.parametrize("path", [p for p in SOURCES if relative(p).startswith(("src/", "include/"))], ids=relative)
def test_files_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


def functions(text):
    """Name and length of each function: from a line that opens one at column 0 to its closing brace at column 0."""
    start, name = None, None
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line == "{" and number > 0 and start is None:
            head = re.search(r"(\w+)\(", lines[number - 1]) or re.search(r"(\w+)\(", lines[number - 2])
            start, name = number, head.group(1) if head else "?"
        elif line == "}" and start is not None:
            yield name, number - start - 1
            start = None


@pytest.mark.parametrize("path", [p for p in SOURCES if relative(p).startswith("src/") and p.suffix == ".c"], ids=relative)
def test_functions_fit_a_screen(path):
    for name, length in functions(path.read_text(encoding="utf-8")):
        assert length <= 70, f"{name} has {length} lines"


# Two loops that call one of these at once get each other's words; strtok_r and its like keep them apart.
SHARED_STATE = re.compile(r"\b(strtok|localtime|gmtime|asctime|ctime|s?rand|tmpnam|inet_ntoa|gethostbyname)\(")


@pytest.mark.parametrize("path", [p for p in SOURCES if relative(p).startswith("src/") and p.suffix == ".c"], ids=relative)
def test_no_library_function_keeps_state_for_all_threads(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        assert not SHARED_STATE.search(line), f"line {number}: {line.strip()}"


# The office's day has begun while that of a machine in UTC still lasts: for a third of each day the two differ.
MACHINE_DAY = re.compile(r"\bdate\.today\(\)|\bdatetime\.now\(\)|\butcnow\(")


@pytest.mark.parametrize("path", [p for p in tracked("tests") if p.suffix == ".py" and p != Path(__file__).resolve()], ids=relative)
def test_no_test_takes_the_day_of_the_machine_for_that_of_the_office(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        assert not MACHINE_DAY.search(line), f"line {number}: {line.strip()} (make.today() is the office's)"


ALL_TEXT = [p for p in tracked("src", "include", "tests", "scripts", "migrations", "tools", "bench", "docs", "*.md", "openapi.yaml", "access.yaml", "CMakeLists.txt", "cmake")
            if p.suffix in (".c", ".h", ".def", ".py", ".sh", ".sql", ".md", ".yaml", ".txt", ".cmake") and p != Path(__file__).resolve()]


@pytest.mark.parametrize("path", ALL_TEXT, ids=relative)
def test_nothing_is_left_unfinished(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        assert not UNFINISHED.search(line), f"line {number}: {line.strip()}"


def test_every_package_has_its_reason():
    reasons = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    for line in (ROOT / "scripts/packages.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            assert f"`{line.split()[1]}`" in reasons, line


def test_every_document_is_in_the_index():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    for path in tracked("docs/*.md"):
        name = str(path.relative_to(ROOT / "docs"))
        assert name == "README.md" or f"({name})" in index, name


# What the environment holds after `source .local/env`, or in every shell.
GIVEN = {"ASND_URL", "ASND_ADMIN_KEY", "ASND_DATABASE_URL", "PATH", "PWD"}


@pytest.mark.parametrize("page", [p for p in tracked("README.md", "README.id.md", "docs/*.md") if re.search(r"^```(ba)?sh$", p.read_text(encoding="utf-8"), re.M)],
                         ids=lambda p: p.name)
def test_commands_of_a_page_need_no_variable_that_the_page_does_not_make(page):
    commands = "\n".join(re.findall(r"^```(?:ba)?sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S))
    commands = re.sub(r"^#.*$", "", commands, flags=re.M)
    made = set(re.findall(r"(?:\bfor |\bmapfile -t |\bread -r |\b)([A-Za-z_]\w*)(?=\+?=| in\b| < <\(|;)", commands))
    used = set(re.findall(r"\$\{?[!#]?([A-Za-z_]\w*)", re.sub(r"'[^']*'", "", commands)))
    assert used - made <= GIVEN, f"{sorted(used - made - GIVEN)} come from nowhere"
