#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sbom.py PROGRAM: what the program is made of, as CycloneDX 1.5 (JSON) on standard output: each shared library that it loads here, the Debian package that
brought it, its version, licence file and SHA-256, and who needs whom. The same program on the same machine gives the same bytes."""
import hashlib
import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def words(*command):
    return subprocess.run(command, text=True, capture_output=True, check=True).stdout


def loaded(program):
    """Name → file of every library that the loader finds for it."""
    found = re.findall(r"^\s*(\S+) => (/\S+)", words("ldd", str(program)), re.M)
    return {name: Path(path).resolve() for name, path in found}


def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.+)\]", words("readelf", "-dW", str(path)))


def packages_of(paths):
    """File → (package, version) of all that some package brought; before the merger of /usr packages named the same files without it."""
    names = {name: path for path in paths for name in (str(path), str(path).removeprefix("/usr"))}
    said = subprocess.run(["dpkg-query", "-S", *names], text=True, capture_output=True, check=False).stdout
    owners = {names[file]: owner.split(",")[0] for owner, file in re.findall(r"^(\S+?(?:, \S+)*): (/\S+)$", said, re.M) if file in names}
    told = words("dpkg-query", "-W", "-f", "${binary:Package} ${Package} ${Version}\n", *sorted(set(owners.values())))
    versions = {}
    for whole, package, version in (line.split() for line in told.splitlines()):
        versions[whole] = versions[package] = (package, version)
    return {path: versions[owner] for path, owner in owners.items()}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def release():
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return fields.get("ID", "linux").strip('"'), fields.get("VERSION_ID", "").strip('"')


def component(name, path, packages, place):
    package, version = packages.get(path, (None, None))
    system, number, architecture = place
    found = {"type": "library", "bom-ref": name, "name": name, "hashes": [{"alg": "SHA-256", "content": sha256(path)}]}
    if package:
        found["version"] = version
        found["purl"] = f"pkg:deb/{system}/{package}@{version.replace(':', '%3A').replace('+', '%2B')}?arch={architecture}&distro={system}-{number}"
        found["properties"] = [{"name": "debian:package", "value": package}, {"name": "debian:copyright", "value": f"/usr/share/doc/{package}/copyright"}]
    return found


def version_of_ours():
    return re.search(r"project\(asnd VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)


def bom(program):
    libraries = loaded(program)
    digest = sha256(program)
    packages = packages_of(libraries.values())
    place = (*release(), words("dpkg", "--print-architecture").strip())
    whole = {"asnd": program, **libraries}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "asnd", "name": "asnd", "version": version_of_ours(), "licenses": [{"license": {"id": "Apache-2.0"}}],
                                   "hashes": [{"alg": "SHA-256", "content": digest}]}},
        "components": [component(name, path, packages, place) for name, path in sorted(libraries.items())],
        "dependencies": [{"ref": name, "dependsOn": sorted(set(needed(path)) & set(libraries))} for name, path in sorted(whole.items())],
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: sbom.py PROGRAM")
    json.dump(bom(Path(sys.argv[1]).resolve()), sys.stdout, indent=2)
    print()
