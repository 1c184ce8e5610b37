# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of a document. Each block that opens with ```bash is run, all in one shell, in order; lines that begin with `# → `
show what the commands above them print, and must be true (… stands for anything)."""
import re
import subprocess

ARROW = "# → "


def blocks(text):
    return re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def steps(text):
    """(commands, expected lines or None) in order."""
    for block in blocks(text):
        commands, expected = [], []
        for line in block.splitlines():
            if line.startswith(ARROW):
                expected.append(line[len(ARROW):])
                continue
            if expected:
                yield "\n".join(commands), expected
                commands, expected = [], []
            commands.append(line)
        if "".join(commands).strip() or expected:
            yield "\n".join(commands), expected or None


def agrees(expected, printed):
    pattern = "\n".join(".*".join(map(re.escape, line.split("…"))) for line in expected)
    return re.fullmatch(pattern, printed.rstrip("\n")) is not None


def run(text, directory, environment):
    """Runs all steps; gives how many outputs were compared."""
    found = list(steps(text))
    script = ["set -euo pipefail"]
    for number, (commands, _) in enumerate(found):
        script += [f"exec >{directory}/out.{number}", commands]
    (directory / "tour.sh").write_text("\n".join(script) + "\n", encoding="utf-8")
    done = subprocess.run(["bash", str(directory / "tour.sh")], cwd=directory, env=environment, text=True, capture_output=True, timeout=600)
    compared = 0
    for number, (commands, expected) in enumerate(found):
        path = directory / f"out.{number}"
        printed = path.read_text(encoding="utf-8") if path.exists() else ""
        if expected is not None and path.exists():
            assert agrees(expected, printed), f"the document says\n{chr(10).join(expected)}\nand the command says\n{printed}\nafter\n{commands}\n{done.stderr}"
            compared += 1
        assert path.exists() or done.returncode != 0
    assert done.returncode == 0, f"the tour broke:\n{done.stderr}\n{printed}"
    return compared
