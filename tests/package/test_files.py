# SPDX-License-Identifier: Apache-2.0
"""What lies around the program: units, manuals and completion say what the program does, no more and no less."""
import re
import subprocess
from pathlib import Path

import pytest

from support import daemon as daemons

ROOT = Path(__file__).resolve().parents[2]
MANUALS = {"asnd.8": ROOT / "docs/man/asnd.8", "asnd.conf.5": ROOT / "build/package/asnd.conf.5"}
WRONG = "--no-such-flag"


def said(*arguments):
    done = subprocess.run([str(daemons.program()), *arguments], text=True, capture_output=True, timeout=60)
    return done.stdout + done.stderr


def subcommands():
    return re.findall(r'^    \{"([a-z-]+)", cli_', (ROOT / "src/main.c").read_text(encoding="utf-8"), re.MULTILINE)


def flags_of_usage(subcommand):
    """Those of its usage, as wrong use shows it; serve has the settings alone."""
    return set(re.findall(r"--[a-z][a-z-]+", said(subcommand, WRONG).split("usage:", 1)[1])) - {"--setting", WRONG}


@pytest.mark.parametrize("name", MANUALS)
def test_mandoc_finds_nothing(name):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "style", str(MANUALS[name])], text=True, capture_output=True, timeout=60)
    # What other packages bring is not known here, and a meaning stands in one line as the program has it.
    found = [line for line in done.stdout.splitlines() if not re.search("referenced manual not found|longer than 80 bytes", line)]
    assert found == []


@pytest.mark.parametrize("subcommand", subcommands())
def test_a_subcommand_and_its_flags_are_in_the_manual_and_in_the_completion(subcommand):
    manual = MANUALS["asnd.8"].read_text(encoding="utf-8")
    item = "\n".join(re.findall(rf"^\.It Cm {subcommand}\b.*", manual, re.MULTILINE))
    assert item, f"asnd.8 has no {subcommand}"
    flags = flags_of_usage(subcommand)
    assert flags <= set("-" + flag for flag in re.findall(r"Fl (-[a-z-]+)", item)), item
    assert flags <= set(completed("asnd", subcommand, "--")), subcommand


def test_each_setting_is_in_the_manual():
    manual = MANUALS["asnd.conf.5"].read_text(encoding="utf-8")
    names = re.findall(r"^\| `([a-z0-9_]+)`", said("config", "--markdown"), re.MULTILINE)
    assert len(names) > 50 and re.findall(r"^\.It Va (\S+)$", manual, re.MULTILINE) == names


def completed(*words):
    """What bash offers when the last of these words is being typed."""
    program = daemons.program()
    script = f"""
        . {ROOT}/packaging/asnd.bash-completion
        COMP_WORDS=("$@"); COMP_WORDS[0]={program}; COMP_CWORD=$(($# - 1))
        _asnd
        printf '%s\\n' "${{COMPREPLY[@]}}" """
    return subprocess.run(["bash", "-euc", script, "bash", *words], check=True, text=True, capture_output=True, timeout=60).stdout.split()


def test_subcommands_are_completed():
    assert set(completed("asnd", "")) == {*subcommands(), "--help", "--version"}
    assert completed("asnd", "mig") == ["migrate"]


def test_settings_are_completed():
    assert completed("asnd", "serve", "--log-l") == ["--log-level"]
    assert completed("asnd", "key", "rev") == ["revoke"]


def test_files_are_completed():
    assert f"{ROOT}/openapi.yaml" in completed("asnd", "check", "--contract", f"{ROOT}/open")


def test_the_service_is_walled_in():
    """systemd's own measure, from 0 (walled in) to 10 (exposed)."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", str(ROOT / "packaging/asnd.service")], text=True, capture_output=True,
                          timeout=60)
    score = float(re.search(r"exposure level for asnd.service: ([\d.]+)", done.stdout).group(1))
    print(f"exposure of asnd.service: {score}")
    assert score <= 1.5, done.stdout


def test_the_unit_waits_as_long_as_the_daemon_may_take():
    unit = (ROOT / "packaging/asnd.service").read_text(encoding="utf-8")
    defaults = dict(re.findall(r"^\| `([a-z_]+)` \| `\S+` \| `?([^`|]*?)`? \|", said("config", "--markdown"), re.MULTILINE))
    stop_s = int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE).group(1))
    assert stop_s * 1000 > int(defaults["stop_delay_ms"]) + int(defaults["stop_timeout_ms"])
    listen = re.search(r"^ListenStream=(.*)$", (ROOT / "packaging/asnd.socket").read_text(encoding="utf-8"), re.MULTILINE).group(1)
    assert listen == f"{defaults['listen']}:{defaults['port']}"
