# SPDX-License-Identifier: Apache-2.0
"""People with their histories into an empty database, by the importer and by COPY, and out again (scripts/bench.sh --histories): how near to COPY, and whether the memory
stays where it is however many they are."""
import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import bench

STEP = 5000  # rows of one COPY, as the importer takes them: triggers get sets of the same size
SETTINGS = "SET enable_seqscan = off; SET jit = off; SET work_mem = '32MB'; SET gin_pending_list_limit = '32MB'; SET asnd.source = 'import';\n"  # as the importer sets them
UNITS = ("unit", "unit_version", "unit_way")
TABLES = ("asn", "history", "due")
OF_FILE = "remote_id IS NOT NULL"  # which the generated file's rows have, and rows that a person's record leaves behind have not


def at(name):
    return f"{bench.DATABASE}&dbname={name}"


def psql(name, text):
    return subprocess.run(["psql", "-XqtA", at(name), "-v", "ON_ERROR_STOP=1", "-c", text], check=True, text=True, capture_output=True).stdout.strip()


def fresh(name):
    bench.sql(f"CREATE DATABASE {name}")
    env = dict(bench.ENV, ASND_DATABASE_URL=at(name))
    subprocess.run([bench.ASND, "migrate"], env=env, check=True, stdout=subprocess.DEVNULL)
    return env


def columns(table):
    return psql("imported", "SELECT string_agg(quote_ident(attname), ',' ORDER BY attnum) FROM pg_attribute "
                            f"WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''")


def unload(directory, table, where, order):
    with open(directory / f"{table}.copy", "w") as out:
        subprocess.run(["psql", "-Xq", at("imported"), "-c", f"COPY (SELECT {columns(table)} FROM {table} WHERE {where} ORDER BY {order}) TO STDOUT"], check=True, stdout=out)


def script(directory, table):
    """The rows of a table as COPY commands of a step each."""
    with open(directory / f"{table}.copy") as rows:
        for n, row in enumerate(rows):
            if n % STEP == 0:
                yield ("\\.\n" if n else "") + f"COPY {table} ({columns(table)}) FROM STDIN;\n"
            yield row
    yield "\\.\n"


def copy(name, directory, tables):
    """Seconds that COPY takes for these tables, in one transaction."""
    path = directory / "copy.sql"
    with open(path, "w") as out:
        out.write("BEGIN;\n" + SETTINGS)
        for table in tables:
            out.writelines(script(directory, table))
        out.write("COMMIT;\n")
    began = time.monotonic()
    subprocess.run(["psql", "-Xq", at(name), "-v", "ON_ERROR_STOP=1", "-f", path], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def copy_with_triggers(directory):
    """What the importer stored of the two files: the triggers make the rest again."""
    fresh("copied")
    copy_units("copied", directory)
    unload(directory, "asn", "true", "nip")
    unload(directory, "history", OF_FILE, "asn_id, kind, starts")
    took = copy("copied", directory, ("asn", "history"))
    bench.sql("DROP DATABASE copied")
    return took


def copy_units(name, directory):
    """The units with the ids that they have where the people were imported."""
    with open(directory / "units.sql", "w") as out:
        out.write("SET session_replication_role = replica;\n")
        for table in UNITS:
            unload(directory, table, "true", "1")
            out.writelines(script(directory, table))
    subprocess.run(["psql", "-Xq", at(name), "-v", "ON_ERROR_STOP=1", "-f", directory / "units.sql"], check=True)
    psql(name, "VACUUM ANALYZE")


def copy_without_triggers(directory):
    """All that the importer stored of people, histories and due days, with constraints and indexes, and nobody who notes it."""
    fresh("bare")
    copy_units("bare", directory)
    for table in TABLES:
        psql("bare", f"ALTER TABLE {table} DISABLE TRIGGER USER")
        unload(directory, table, "true", "nip" if table == "asn" else "asn_id")
    took = copy("bare", directory, TABLES)
    bench.sql("DROP DATABASE bare")
    return took


def imports(table, directory, env):
    took = 0
    for kind in ("asn", "history"):
        seconds, peak, counted = bench.timed_import(kind, directory / f"{kind}.csv", env)
        print(f"{kind}: {seconds:.1f} s, {counted.splitlines()[-1]}", flush=True)
        table.add(f"memory of the import of {kind}, at its peak", "MB", [peak])
        took += seconds
    return took


def put_sums_together():
    """What an import leaves to the daemon's chores: they would else take a processor of two while everybody is exported."""
    while psql("imported", "SELECT staff_refresh(5000) + index_refresh(5000)") != "0":
        pass
    psql("imported", "VACUUM ANALYZE")


def export(args, table, env):
    daemon = bench.Daemon(**{"ASND_DATABASE_URL": env["ASND_DATABASE_URL"]})
    key = subprocess.run([bench.ASND, "key", "create", "--name", "bench", "--scope", "admin"], env=env, check=True, text=True, capture_output=True).stdout.strip()
    before = daemon.rss_mb()
    try:
        bench.bench_export(args, table, daemon, key)
    except Exception:  # the daemon says why
        print(Path(daemon.log.name).read_text()[-3000:], flush=True)
        raise
    table.add("memory of the daemon before the export and at its peak", "MB", [before, daemon.rss_mb("VmHWM")])
    daemon.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--careers-every", type=int, default=1, metavar="N", help="one person in N has a career of some fifteen rows")
    parser.add_argument("--rounds", type=int, default=3, help="of the export")
    parser.add_argument("--with-triggers-only", action="store_true", help="leaves out the COPY that nobody notes")
    args = parser.parse_args()
    table = bench.Table()
    print(bench.machine(), flush=True)
    with tempfile.TemporaryDirectory() as path:
        directory = Path(path)
        bench.run("/usr/bin/python3", bench.ROOT / "tools/generate.py", "--people", args.people, "--clean", "--careers-every", args.careers_every,
                  "--out", directory)
        env = fresh("imported")
        bench.timed_import("units", directory / "units.csv", env)
        psql("imported", "VACUUM ANALYZE")
        took = imports(table, directory, env)
        rows = {t: int(psql("imported", f"SELECT count(*) FROM {t}")) for t in TABLES}
        with_triggers, without = copy_with_triggers(directory), None if args.with_triggers_only else copy_without_triggers(directory)
    n = rows["asn"] + rows["history"]
    print(", ".join(f"{n:,} {t}" for t, n in rows.items()))
    table.add("import of people and their histories", "rows/s", [n / took])
    table.add("COPY of the same rows into the same tables, triggers and all", "rows/s", [n / with_triggers])
    table.ratio("import_histories_of_copy", with_triggers / took, 0.5)
    if without:
        table.add("COPY of all that was stored, without triggers", "rows/s", [n / without])
        table.ratio("import_histories_of_copy_without_triggers", without / took)
    bench.DATABASE = at("imported")
    put_sums_together()
    export(args, table, env)
    print(table.markdown())


if __name__ == "__main__":
    main()
