# SPDX-License-Identifier: Apache-2.0
"""asnd check --security: each weakness is named when it is there, and not when it is not. And secrets: not in the process list, not in a core file, not in
what a library or a crash would show."""
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from support import daemon as daemons, postgres, templates
from support.certificates import Certificate

@pytest.fixture(scope="module")
def url(cluster, empty_template):
    name = cluster.create(template=empty_template, label="weak")
    yield cluster.database_url(name)
    cluster.drop(name)


def check(url, *arguments, **settings):
    """Names of what is weak, and all that was said."""
    done = daemons.run(url, "check", "--security", *arguments, check=False, **{f"ASND_{k.upper()}": str(v) for k, v in settings.items()})
    assert done.returncode in (0, 1), done.stderr
    names = re.findall(r"^weak ([a-z-]+): ", done.stdout, re.M)
    assert (done.returncode == 1) == bool(names) and ("Nothing weak" in done.stdout) == (not names), done.stdout
    return set(names), done.stdout


WEAK = {
    "plain-http": ({"listen": "0.0.0.0"}, {"listen": "127.0.0.1"}),
    "public-url": ({"public_url": "http://asn.example.go.id"}, {"public_url": "https://asn.example.go.id"}),
    "certificate-header": ({"client_cert_header": "X-Client-Cert"}, {"client_cert_header": "X-Client-Cert", "trusted_proxies": "127.0.0.1"}),
    "trusted-proxies": ({"trusted_proxies": "127.0.0.1, 0.0.0.0/0"}, {"trusted_proxies": "127.0.0.1, ::1"}),
    "tokens-see-all": ({"oidc_issuer": "https://login.example.go.id", "oidc_audience": "asnd", "oidc_units_else": "all"},
                       {"oidc_issuer": "https://login.example.go.id", "oidc_audience": "asnd", "oidc_units_else": "own"}),
    "issuer-plain": ({"oidc_issuer": "http://127.0.0.1:1"}, {"oidc_issuer": "https://login.example.go.id"}),
    "log-debug": ({"log_level": "debug"}, {"log_level": "info"}),
    "log-requests": ({"log_requests": "false"}, {}),
    "core-dumps": ({"core_dumps": "true"}, {}),
    "replaced": ({"contract": str(daemons.ROOT / "openapi.yaml")}, {}),
}


@pytest.mark.parametrize("name", WEAK)
def test_a_weak_setting_is_named(name, url):
    weak, strong = WEAK[name]
    assert name in check(url, **weak)[0]
    assert name not in check(url, **strong)[0]


def test_https_on_all_addresses_is_not_weak(url, tmp_path):
    pair = Certificate(tmp_path, "server", address="127.0.0.1")
    settings = {"listen": "0.0.0.0", "tls_certificate": pair.pem, "tls_key": pair.key_file}
    assert not {"plain-http", "tls-key-file"} & check(url, **settings)[0]
    pair.key_file.chmod(0o640)
    assert "tls-key-file" not in check(url, **settings)[0], "a group of those who may is no weakness"
    pair.key_file.chmod(0o644)
    assert "tls-key-file" in check(url, **settings)[0]


def test_a_settings_file_with_a_secret_is_the_owners_alone(url, tmp_path):
    file = tmp_path / "asnd.conf"
    file.write_text(f"database_url = {url}\n", encoding="utf-8")

    def looked(text=None):
        if text:
            file.write_text(text, encoding="utf-8")
        done = subprocess.run([str(daemons.program()), "check", "--security", "--config", str(file)], text=True, capture_output=True, timeout=120, check=False,
                              env={k: v for k, v in os.environ.items() if k != "ASND_DATABASE_URL"} | daemons.SANITIZERS)
        return done.stdout
    file.chmod(0o644)
    assert "weak settings-file: " in looked() and str(file) in looked()
    file.chmod(0o600)
    assert "settings-file" not in looked()
    file.chmod(0o644)
    named = looked("log_level = info\n")  # then the secret is elsewhere, and libpq's own environment says where
    assert "settings-file" not in named


def test_a_superuser_is_named_and_a_plain_role_is_not(url):
    postgres.query(url, "CREATE ROLE asnd_plain_weak LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO asnd_plain_weak")
    try:
        assert "database-superuser" in check(url)[0]
        plain = re.sub(r"([?&])user=[^&]*", r"\1user=asnd_plain_weak", url) if "user=" in url else url + "&user=asnd_plain_weak"
        assert "database-superuser" not in check(plain)[0]
    finally:
        postgres.query(url, "DROP OWNED BY asnd_plain_weak; DROP ROLE asnd_plain_weak")


def test_old_unused_and_mighty_keys_are_named(url):
    for name, scope in (("tua", "asn.read"), ("kuasa", "admin"), ("baru", "asn.read")):
        daemons.create_key(url, name=name, scopes=[scope])
    postgres.query(url, "UPDATE api_key SET created_at = now() - interval '400 days' WHERE name = 'tua'")
    postgres.query(url, "UPDATE api_key SET last_used_at = now() WHERE name = 'kuasa'")
    names, said = check(url)
    assert {"key-no-expiry", "key-unused", "key-admin"} <= names
    assert re.search(r"key-no-expiry: the key [0-9a-f-]{36} \(tua\)", said) and re.search(r"key-admin: .*\(kuasa\)", said) and "(baru)" not in said
    postgres.query(url, "UPDATE api_key SET revoked_at = now() WHERE name <> 'baru'")
    assert not {n for n in check(url)[0] if n.startswith("key-")}


# ── a server that is not this machine ──

@pytest.fixture(scope="module")
def far(tmp_path_factory):
    """A server of its own at this machine's address beyond loopback, with TLS: (its URL without sslmode, its certificate)."""
    address = subprocess.run(["hostname", "-I"], text=True, capture_output=True, check=True).stdout.split()[0]
    with socket.socket() as free, pytest.MonkeyPatch.context() as patch:
        free.bind((address, 0))
        patch.setenv("ASND_TEST_PG_PORT", str(free.getsockname()[1]))
        free.close()
        with templates.files() as files:
            server = postgres.Cluster(own=True, options=f"-c listen_addresses={address}", data=files)
    name = server.create(template=templates.EMPTY, label="far")
    here = server.database_url(name)
    data = Path(postgres.query(here, "SHOW data_directory")[0][0])
    pair = Certificate(tmp_path_factory.mktemp("far"), "server", address=address)
    for file, target in ((pair.pem, "server.crt"), (pair.key_file, "server.key")):
        (data / target).write_bytes(file.read_bytes())
        (data / target).chmod(0o600)
        os.chown(data / target, data.stat().st_uid, data.stat().st_gid)
    with (data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
        rules.write(f"host all all {address}/32 trust\n")
    postgres.query(here, "ALTER SYSTEM SET ssl = on")
    postgres.query(here, "SELECT pg_reload_conf()")
    port, user = postgres.query(here, "SELECT current_setting('port'), current_user")[0]
    yield f"postgresql://{user}@{address}:{port}/{name}?sslmode=", pair.pem
    server.close()


def test_a_connection_that_anybody_could_read_is_named(far, url):
    where, authority = far
    names = [check(f"{where}{mode}")[0] & {"database-plain", "database-unverified"} for mode in ("disable", "require", f"verify-full&sslrootcert={authority}")]
    assert names == [{"database-plain"}, {"database-unverified"}, set()]
    assert not check(url)[0] & {"database-plain", "database-unverified"}, "a socket of this machine"


def test_who_runs_as_root_is_told(far, url):
    assert ("root" in check(url)[0]) == (os.geteuid() == 0)
    done = subprocess.run([str(daemons.program()), "check", "--security"], text=True, capture_output=True, timeout=120, check=False, cwd="/",
                          user=65534 if os.geteuid() == 0 else None, env={"PATH": "/usr/bin:/bin", **daemons.SANITIZERS, "ASND_DATABASE_URL": far[0] + "disable"})
    assert "weak database-plain" in done.stdout and "weak root" not in done.stdout, done


# ── secrets ──

@pytest.fixture(scope="module")
def secret():
    return daemons.planted("kata-sandi-basis-data-7731")


@pytest.fixture(scope="module")
def running(url, secret):
    separator = "&" if "?" in url else "?"
    started = daemons.Daemon(f"{url}{separator}password={secret}", name="attack-weak")
    yield started
    started.stop()


def test_no_secret_is_an_argument(running, secret, url):
    assert secret not in Path(f"/proc/{running.process.pid}/cmdline").read_text(encoding="utf-8")
    done = daemons.run(url, "config", "--database-url", f"postgresql:///x?password={secret}", check=False)
    assert done.returncode == 2 and "is a secret" in done.stderr and secret not in done.stdout + done.stderr
    assert secret not in daemons.run(f"{url}&password={secret}", "config").stdout


def test_every_secret_setting_is_refused_as_a_flag(url):
    secrets = re.findall(r"^\| `(\w+)` .*\(secret\) \|$", daemons.run(url, "config", "--markdown").stdout, re.M)
    assert "database_url" in secrets
    for name in secrets:
        assert "is a secret" in daemons.run(url, "serve", f"--{name.replace('_', '-')}=x", check=False).stderr, name


def owner_of_memory(setting):
    """Who may look into a daemon of a plain user, once it has read its settings: it looks in vain for a database meanwhile."""
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    process = subprocess.Popen([str(daemons.program()), "serve"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                               user=user if os.geteuid() == 0 else None,
                               env={"PATH": "/usr/bin:/bin", **daemons.SANITIZERS, "ASND_DATABASE_URL": "host=/nowhere", "ASND_CORE_DUMPS": setting})
    try:
        seen = set()
        until = time.monotonic() + (10 if setting == "false" else 1)
        while time.monotonic() < until and 0 not in seen:
            seen.add(Path(f"/proc/{process.pid}/environ").stat().st_uid)
        return seen, user
    finally:
        process.kill()
        process.wait(timeout=30)


def test_no_core_file_is_left_and_nobody_looks_in(running):
    """What the kernel asks before it writes a core file, or lets another process of the same user read the memory."""
    limit = re.search(r"Max core file size +(\S+) +(\S+)", Path(f"/proc/{running.process.pid}/limits").read_text(encoding="ascii")).groups()
    assert limit == ("0", "0")
    assert 0 in owner_of_memory("false")[0], "the memory belongs to root"
    seen, user = owner_of_memory("true")
    assert seen == {user}


# ── what it is made of ──

def test_the_self_test_names_each_library():
    done = subprocess.run([str(daemons.program()), "self-test"], text=True, capture_output=True, timeout=120, check=False, env={**os.environ, **daemons.SANITIZERS})
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("libmicrohttpd", "libpq", "jansson", "libyaml", "pcre2", "gnutls", "libcurl", "libuv", "libsodium"):
        assert re.search(rf"^ok +{name} +\d+\.\d+", done.stdout, re.M), name
    assert not re.search(r"^(OLD|FAIL)", done.stdout, re.M)


def test_an_old_library_fails_the_self_test(tmp_path):
    """A library that says it is older than the mending of a known fault."""
    source, library = tmp_path / "old.c", tmp_path / "old.so"
    source.write_text('const char *jansson_version_str(void) { return "2.5"; }\n', encoding="utf-8")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True, timeout=60)
    environment = {**os.environ, **daemons.SANITIZERS, "LD_PRELOAD": str(library)}
    environment["ASAN_OPTIONS"] += ":verify_asan_link_order=0:detect_leaks=0"
    done = subprocess.run([str(daemons.program()), "self-test"], text=True, capture_output=True, timeout=120, check=False, env=environment)
    assert done.returncode == 1 and re.search(r"^OLD +jansson +2\.5 \(CVE-2016-4425: from 2\.8 on\)", done.stdout, re.M), done.stdout + done.stderr


@pytest.fixture(scope="module")
def bill():
    done = subprocess.run([str(daemons.ROOT / "scripts/sbom.py"), str(daemons.program())], text=True, capture_output=True, timeout=120, check=True)
    return json.loads(done.stdout)


def test_the_bill_of_materials_is_cyclonedx(bill):
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    parts = [bill["metadata"]["component"], *bill["components"]]
    references = [part["bom-ref"] for part in parts]
    assert len(references) == len(set(references))
    for part in parts:
        assert part["type"] in ("application", "library") and part["name"] and part["version"], part
        assert [h["alg"] for h in part["hashes"]] == ["SHA-256"] and re.fullmatch(r"[0-9a-f]{64}", part["hashes"][0]["content"])
    for part in bill["components"]:
        assert re.fullmatch(r"pkg:deb/[a-z]+/[a-z0-9.+-]+@[A-Za-z0-9.%~-]+\?arch=\w+&distro=[a-z0-9.-]+", part["purl"]), part["purl"]
    for entry in bill["dependencies"]:
        assert {entry["ref"], *entry["dependsOn"]} <= set(references)
    assert {entry["ref"] for entry in bill["dependencies"]} == set(references)


def test_the_bill_names_what_is_loaded_as_it_is(bill):
    linked = set(re.findall(r"\(NEEDED\).*\[(.+)\]", subprocess.run(["readelf", "-dW", str(daemons.program())], text=True, capture_output=True, check=True).stdout))
    assert linked == set(next(entry["dependsOn"] for entry in bill["dependencies"] if entry["ref"] == "asnd"))
    named = {part["properties"][0]["value"]: part["version"] for part in bill["components"]}
    for package in ("libmicrohttpd12", "libpq5", "libjansson4", "libgnutls30", "libcurl3-gnutls", "libuv1"):
        version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], text=True, capture_output=True, check=True).stdout
        assert named[package] == version
