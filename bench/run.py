"""Measures the main job beside a peer in the same run, and writes docs/benchmarks.md.

Ingest of a generated sample end to end (validated, deduplicated, indexed, judged) against DuckDB loading the same files
into its own database (no validation, no index, no judgement); start on that data to the first answer; point look-up and
lists under wrk, each beside the server's cheapest answer. Traffic stays on loopback and ends by itself.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = TARGET / "release" / "cidadao"


def run(command):
    """Seconds, CPU seconds, peak MiB and stdout of a command."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        out.seek(0)
        text = out.read().decode()
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 3):
        raise SystemExit(f"{command} ended with {code}")
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024, "out": text}


LOAD = """
import duckdb, glob, sys
sample, database = sys.argv[1], sys.argv[2]
db = duckdb.connect(database)
db.execute("set threads = 2; set enable_progress_bar = false")
csv = "delim=';', header=true, quote='\\"', all_varchar=true, ignore_errors=true, null_padding=true, strict_mode=false, union_by_name=true"
total = 0
def load(name, files, encoding):
    global total
    if not files: return
    db.execute(f"create table {name} as select * from read_csv({files}, encoding='{encoding}', {csv})")
    total += db.execute(f"select count(*) from {name}").fetchone()[0]
for kind in ("Compras", "ItemCompra", "TermoAditivo", "Apostilamento"):
    load(kind, sorted(glob.glob(f"{sample}/compras/*_{kind}.csv")), "latin-1")
for at, kind in enumerate(("Licitação", "ItemLicitação", "ParticipantesLicitação", "EmpenhosRelacionados")):
    load(f"licitacao_{at}", sorted(glob.glob(f"{sample}/unzipped/*_{kind}.csv")), "latin-1")
load("ui", sorted(glob.glob(f"{sample}/portal-ui/*.csv")), "utf-8")
load("sancoes", sorted(glob.glob(f"{sample}/sancoes/*CEIS.csv")), "latin-1")
for kind in ("contratos", "contratacoes"):
    files = sorted(glob.glob(f"{sample}/pncp/{kind}_*.json"))
    db.execute(f"create table pncp_{kind} as select unnest(data) as r from read_json({files}, columns={{data: 'JSON[]'}}, maximum_object_size=67108864)")
    total += db.execute(f"select count(*) from pncp_{kind}").fetchone()[0]
print(total)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def first_answer(data):
    """Milliseconds from the start of the program to its first whole answer; the server is left running."""
    port = free_port()
    started = time.monotonic()
    server = subprocess.Popen(
        [BINARY, "--data-dir", data, "serve", "--listen", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    while time.monotonic() - started < 30:
        try:
            get(f"{base}/api/v1/findings?limit=10")
            return (time.monotonic() - started) * 1000, base, server
        except OSError:
            time.sleep(0.002)
    raise SystemExit("the server did not answer within 30 s")


def wrk(url, seconds):
    out = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", url], capture_output=True, text=True, check=True).stdout
    def ms(name):
        value, unit = re.search(rf"{name}\s+([\d.]+)(us|ms|s)", out).groups()
        return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return {"rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), "p50": ms("50%"), "p99": ms("99%"), "bad": int(bad[1]) if bad else 0}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--contracts", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--seconds", type=int, default=8)
    arguments.add_argument("--cold", default=None, help="what a cold `make run` took, as measured elsewhere")
    options = arguments.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="cidadao-bench-"))
    try:
        write(options, measure(options, work))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure(options, work):
    sample, data = work / "sample", work / "data"
    made = run([BINARY, "sample", "--contracts", str(options.contracts), "--seed", "7", "--out", sample])
    size = sum(p.stat().st_size for p in sample.rglob("*") if p.is_file())
    plain = work / "plain"
    shutil.copytree(sample, plain)
    (plain / "unzipped").mkdir()
    for archive in sorted((plain / "licitacoes").glob("*.zip")):
        with zipfile.ZipFile(archive) as members:
            members.extractall(plain / "unzipped")
    ours, theirs = [], []
    for _ in range(options.runs):
        shutil.rmtree(data, ignore_errors=True)
        mine = run([BINARY, "--data-dir", data, "--json", "ingest", sample])
        report = json.loads(mine["out"])
        mine["rows"] = report["totals"]["read"]
        mine["judged"] = report["judged"]["seconds"]
        ours.append(mine)
        database = work / "peer.duckdb"
        database.unlink(missing_ok=True)
        other = run(["python3", "-c", LOAD, str(plain), str(database)])
        other["rows"] = int(other["out"].split()[-1])
        theirs.append(other)
    starts = []
    for at in range(5):
        ms, base, server = first_answer(data)
        starts.append(ms)
        if at < 4:
            server.terminate()
            server.wait()
    try:
        some = get(f"{base}/api/v1/contracts?limit=1&sort=-value")["data"][0]
        quoted = urllib.parse.quote(some["id"], safe="")
        buyer = urllib.parse.quote(some["buyer"]["id"], safe="")
        routes = {
            "floor: `/health/live`": "/health/live",
            "point look-up: `contracts/{id}`": f"/api/v1/contracts/{quoted}",
            "list: `contracts?limit=20`": "/api/v1/contracts?limit=20",
            "filtered: `contracts?buyer_id=…`": f"/api/v1/contracts?buyer_id={buyer}",
            "filtered: `contracts?modality=pregao&signed_from=…&signed_to=…`": "/api/v1/contracts?modality=pregao&signed_from=2023-01-01&signed_to=2023-03-31",
            "full text: `contracts?q=limpeza hospitalar`": "/api/v1/contracts?q=limpeza%20hospitalar",
            "list: `findings?limit=20`": "/api/v1/findings?limit=20",
        }
        loads = {name: wrk(base + path, options.seconds) for name, path in routes.items()}
    finally:
        server.terminate()
        server.wait()
    return {"made": made, "size": size, "ours": ours, "theirs": theirs, "starts": starts, "loads": loads}


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def write(options, m):
    processor = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    rows = m["ours"][0]["rows"]
    ratios = [a["seconds"] / b["seconds"] for a, b in zip(m["ours"], m["theirs"])]
    lines = [
        "# Benchmarks",
        "",
        f"{datetime.date.today().isoformat()} · {os.cpu_count()} cores of {processor} (virtual, shared) · `make bench`"
        f" = `bench/run.sh --contracts {options.contracts} --runs {options.runs}`. Medians; the machine is noisy, so the ratios count.",
        "",
    ]
    if options.cold:
        lines += ["## Cold start of everything", "", options.cold, ""]
    lines += [
        f"## Ingest of {options.contracts:,} fictitious contracts ({rows:,} rows, {m['size'] / 2**20:,.0f} MiB)",
        "",
        "| | seconds | of it judging | rows/s | CPU s | peak MiB |",
        "|---|---|---|---|---|---|",
        f"| `cidadao ingest`: mapped, checked, deduplicated, indexed, full text, Parquet, judged | {median(m['ours'], 'seconds'):.1f} | {median(m['ours'], 'judged'):.1f} |"
        f" {rows / median(m['ours'], 'seconds'):,.0f} | {median(m['ours'], 'cpu'):.1f} | {median(m['ours'], 'mib'):.0f} |",
        f"| DuckDB 1.5.6 (Python): `create table as` from the same files as text (archives unpacked before, not counted) | {median(m['theirs'], 'seconds'):.1f} | – |"
        f" {m['theirs'][0]['rows'] / median(m['theirs'], 'seconds'):,.0f} | {median(m['theirs'], 'cpu'):.1f} | {median(m['theirs'], 'mib'):.0f} |",
        "",
        f"Ratio of times, ours / theirs, run by run: {', '.join(f'{r:.2f}' for r in ratios)} (median {statistics.median(ratios):.2f}).",
        "The goal for peak memory is below 512 MiB.",
        "",
        "## Start on that data",
        "",
        f"From the start of the process to the first whole answer of `findings?limit=10`: median {statistics.median(m['starts']):.0f} ms"
        f" of {len(m['starts'])} (from {min(m['starts']):.0f} to {max(m['starts']):.0f}); the goal is below 300 ms.",
        "",
        f"## Reading (wrk, 1 thread, 16 connections, {options.seconds} s each, on the same two cores)",
        "",
        "| | requests/s | of the floor | p50 ms | p99 ms | errors |",
        "|---|---|---|---|---|---|",
    ]
    floor = next(iter(m["loads"].values()))["rps"]
    for name, load in m["loads"].items():
        lines.append(f"| {name} | {load['rps']:,.0f} | {load['rps'] / floor:.3f} | {load['p50']:.2f} | {load['p99']:.2f} | {load['bad']} |")
    lines += ["", "Nothing is cached between requests yet: each list reads the database and encodes its JSON anew.", ""]
    text = "\n".join(lines)
    (ROOT / "docs" / "benchmarks.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
