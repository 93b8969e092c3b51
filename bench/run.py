"""Measures the main job beside peers in the same run, and writes docs/benchmarks.md.

Ingest of a generated sample end to end (validated, deduplicated, indexed, judged) against DuckDB reading the same files
into its own database with indexes over the same keys (no validation, no deduplication, no judgement); what a row costs in
samples of several sizes; OCDS releases beside `ocdscardinal`; start on the sample's data to the first answer; point look-up
and lists under wrk, each beside the server's cheapest answer. Traffic stays on loopback and ends by itself.
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
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What is measured is the way of a request, not when it is refused.
os.environ["CIDADAO_LIMITS_ANONYMOUS"] = "unlimited"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = TARGET / "release" / "cidadao"
# The section of docs/benchmarks.md that `flags.py` writes.
JUDGING = "## Judging beside the same questions by hand"


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


# Loads the unzipped sample into a database of DuckDB's own: tables of text and indexes over the keys that we keep too.
LOAD = r"""
import duckdb, glob, sys
sample, database = sys.argv[1], sys.argv[2]
db = duckdb.connect(database)
db.execute("set threads = 2; set enable_progress_bar = false")
csv = "delim=';', header=true, quote='\"', all_varchar=true, ignore_errors=true, null_padding=true, strict_mode=false, union_by_name=true"
total = 0

def index(table, at, names):
    held = [row[0] for row in db.execute(f"describe {table}").fetchall()]
    columns = [column for name in names for column in held if column.lower() == name.lower()]
    if len(columns) != len(names):
        raise SystemExit(f"{table} has no column for each of {names}: {held}")
    db.execute("create index {}_{} on {} ({})".format(table, at, table, ", ".join(f'"{c}"' for c in columns)))

def load(table, pattern, encoding, keys):
    global total
    files = sorted(glob.glob(f"{sample}/{pattern}"))
    if not files:
        return
    rows = f"select * from read_csv({files}, encoding='{encoding}', {csv})"
    db.execute(f"create table {table} as {rows} limit 0")
    db.execute(f"insert into {table} {rows}")
    total += db.execute(f"select count(*) from {table}").fetchone()[0]
    for at, names in enumerate(keys):
        index(table, at, names)

unit = "Código UG"
load("compras", "compras/*_Compras.csv", "latin-1", [(unit, "Número Contrato"), ("Data Assinatura Contrato",), ("Código Contratado",)])
load("item_compra", "compras/*_ItemCompra.csv", "latin-1", [(unit, "Número Contrato", "Código Item Compra")])
load("termo_aditivo", "compras/*_TermoAditivo.csv", "latin-1", [(unit, "Número Contrato")])
load("apostilamento", "compras/*_Apostilamento.csv", "latin-1", [(unit, "Número Contrato")])
for at, kind in enumerate(("Licitação", "ItemLicitação", "ParticipantesLicitação", "EmpenhosRelacionados")):
    load(f"licitacao_{at}", f"unzipped/*_{kind}.csv", "latin-1", [(unit, "Número Licitação")])
load("ui", "portal-ui/*.csv", "utf-8", [("NÚMERO DO CONTRATO",)])
load("sancoes", "sancoes/*CEIS.csv", "latin-1", [("CPF OU CNPJ DO SANCIONADO",)])

fields = ["numeroControlePNCP", "numeroControlePncpCompra", "objetoContrato", "objetoCompra", "niFornecedor", "nomeRazaoSocialFornecedor",
    "dataAssinatura", "dataVigenciaInicio", "dataVigenciaFim", "dataPublicacaoPncp", "valorInicial", "valorGlobal", "valorTotalEstimado",
    "valorTotalHomologado", "dataAtualizacaoGlobal", "processo", "receita", "modalidadeNome"]
columns = ", ".join(f"r->>'$.{f}' as \"{f}\"" for f in fields)
for kind in ("contratos", "contratacoes"):
    files = sorted(glob.glob(f"{sample}/pncp/{kind}_*.json"))
    if not files:
        continue
    table = f"pncp_{kind}"
    rows = (f"select {columns}, r->>'$.orgaoEntidade.cnpj' as orgao, r->>'$.unidadeOrgao.codigoUnidade' as unidade, r from (select unnest(data) as r"
        f" from read_json({files}, columns={{data: 'JSON[]'}}, maximum_object_size=67108864))")
    db.execute(f"create table {table} as {rows} limit 0")
    db.execute(f"insert into {table} {rows}")
    total += db.execute(f"select count(*) from {table}").fetchone()[0]
    index(table, 0, ("numeroControlePNCP",))
db.close()
print(duckdb.__version__, total)
"""

# Counts the fields of OCDS releases, which is all that the wheel of ocdscardinal offers.
COVERAGE = """
import importlib.metadata, sys, ocdscardinal
print(importlib.metadata.version("ocdscardinal"), ocdscardinal.coverage(sys.argv[1])[""])
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
    arguments.add_argument("--sizes", type=sizes, default=[20_000, 200_000], help="samples whose cost per row is compared, in contracts: 20000,200000")
    arguments.add_argument("--large", action="store_true", help="compare a sample of 2,100,000 contracts too")
    arguments.add_argument("--releases", type=int, default=300_000, help="OCDS releases")
    arguments.add_argument("--cold", default=None, help="what a cold `make run` took, as measured elsewhere")
    options = arguments.parse_args()
    if options.large:
        options.sizes = [*options.sizes, 2_100_000]
    work = pathlib.Path(tempfile.mkdtemp(prefix="cidadao-bench-"))
    try:
        measured = measure(options, work)
        measured["ocds"] = measure_ocds(options, work)
        measured["by_size"] = [measure_size(contracts, work) for contracts in options.sizes]
        write(options, measured)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def sizes(text):
    return [int(size) for size in text.split(",")]


def make_sample(contracts, into):
    run([BINARY, "sample", "--contracts", str(contracts), "--seed", "7", "--out", into])


def ingest(files, data):
    """An ingest into a new folder: as `run`, with its rows and the seconds of it that judging took."""
    shutil.rmtree(data, ignore_errors=True)
    mine = run([BINARY, "--data-dir", data, "--json", "ingest", files])
    report = json.loads(mine["out"])
    mine["rows"] = report["totals"]["read"]
    mine["judged"] = report["judged"]["seconds"] if report["judged"] else 0.0
    mine["unjudged"] = mine["seconds"] - mine["judged"]
    return mine


def measure_size(contracts, work):
    """What a row costs in a sample of this size; nothing of it is left."""
    sample, data = work / "sized", work / "sized-data"
    make_sample(contracts, sample)
    mine = ingest(sample, data)
    shutil.rmtree(sample)
    shutil.rmtree(data)
    return {"contracts": contracts, **mine}


def measure_ocds(options, work):
    """OCDS releases ingested, and their fields counted by ocdscardinal."""
    releases = work / "releases.jsonl"
    with releases.open("wb") as out:
        subprocess.run([sys.executable, ROOT / "bench" / "ocds_lines.py", str(options.releases)], stdout=out, check=True)
    ours, theirs = [], []
    for _ in range(options.runs):
        ours.append(ingest(releases, work / "ocds-data"))
        other = run([sys.executable, "-c", COVERAGE, releases])
        other["version"], lines = other["out"].split()
        if int(lines) != options.releases or ours[-1]["rows"] != options.releases:
            raise SystemExit(f"{options.releases} releases: {ours[-1]['rows']} and {lines} were read")
        theirs.append(other)
    size = releases.stat().st_size
    shutil.rmtree(work / "ocds-data")
    releases.unlink()
    return {"size": size, "ours": ours, "theirs": theirs}


def measure(options, work):
    sample, data = work / "sample", work / "data"
    make_sample(options.contracts, sample)
    size = sum(p.stat().st_size for p in sample.rglob("*") if p.is_file())
    plain = work / "plain"
    shutil.copytree(sample, plain)
    (plain / "unzipped").mkdir()
    for archive in sorted((plain / "licitacoes").glob("*.zip")):
        with zipfile.ZipFile(archive) as members:
            members.extractall(plain / "unzipped")
    ours, theirs = [], []
    for _ in range(options.runs):
        ours.append(ingest(sample, data))
        database = work / "peer.duckdb"
        database.unlink(missing_ok=True)
        other = run([sys.executable, "-c", LOAD, plain, database])
        other["version"], rows = other["out"].split()
        other["rows"] = int(rows)
        theirs.append(other)
    shutil.rmtree(plain)
    shutil.rmtree(sample)
    database.unlink()
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
    return {"size": size, "ours": ours, "theirs": theirs, "starts": starts, "loads": loads}


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def cost(what, runs, seconds):
    rows, taken = runs[0]["rows"], median(runs, seconds)
    return f"| {what} | {taken:.1f} | {rows / taken:,.0f} | {median(runs, 'cpu'):.1f} | {median(runs, 'mib'):.0f} |"


def ocds_cost(what, runs):
    return f"| {what} | {median(runs, 'seconds'):.1f} | {median(runs, 'cpu'):.1f} | {median(runs, 'mib'):.0f} |"


def cost_per_row(sized):
    unjudged, judged, cpu = (f"{sized[key] / sized['rows'] * 1e6:.1f}" for key in ("unjudged", "seconds", "cpu"))
    return f"| {sized['contracts']:,} | {sized['rows']:,} | {unjudged} | {judged} | {cpu} | {sized['mib']:.0f} |"


def growth(by_size):
    """What a row of the largest sample costs, by what one of the smallest costs."""
    smallest, largest = (pick(by_size, key=lambda sized: sized["rows"]) for pick in (min, max))
    return largest["seconds"] / largest["rows"] / (smallest["seconds"] / smallest["rows"])


def ratios(ours, theirs, key):
    """Ours by theirs, run by run, and the median."""
    each = [a[key] / b["seconds"] for a, b in zip(ours, theirs)]
    return f"{', '.join(f'{ratio:.2f}' for ratio in each)} (median {statistics.median(each):.2f})"


def section_of(benchmarks):
    """What `flags.py` wrote there, or nothing."""
    found = re.search(rf"^{JUDGING}\n.*?(?=^## |\Z)", benchmarks, re.M | re.S)
    return found[0] if found else ""


def write(options, m):
    processor = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    rows = m["ours"][0]["rows"]
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
        "| | seconds | rows/s | CPU s | peak MiB |",
        "|---|---|---|---|---|",
        cost("`cidadao ingest`: mapped, checked, deduplicated, indexed, full text, Parquet, without judging", m["ours"], "unjudged"),
        cost("`cidadao ingest`: all of that, and judged", m["ours"], "seconds"),
        cost(
            f"DuckDB {m['theirs'][0]['version']} (Python): `read_csv` and `read_json` of the same files as text (archives unpacked before, not"
            " counted), insert and indexes in its own database; nothing checked or deduplicated",
            m["theirs"],
            "seconds",
        ),
        "",
        f"Ratio of times, ours / theirs, run by run: without judging {ratios(m['ours'], m['theirs'], 'unjudged')}, with judging"
        f" {ratios(m['ours'], m['theirs'], 'seconds')}. CPU and peak memory of ours are those of the whole run.",
        "The goal for peak memory is below 512 MiB.",
        "",
        "## Cost per row by size",
        "",
        "| contracts | rows | µs per row without judging | µs per row judged | CPU µs per row | peak MiB |",
        "|---|---|---|---|---|---|",
        *(cost_per_row(sized) for sized in m["by_size"]),
        "",
        f"One ingest of each, into a new folder. A row of the largest costs {growth(m['by_size']):.2f} times what one of the smallest costs (judged).",
        "",
        f"## OCDS: {options.releases:,} fictitious releases as JSON Lines ({m['ocds']['size'] / 2**20:,.0f} MiB)",
        "",
        "| | seconds | CPU s | peak MiB |",
        "|---|---|---|---|",
        ocds_cost("`cidadao ingest`: mapped, checked, deduplicated, indexed, Parquet, judged", m["ocds"]["ours"]),
        ocds_cost(f"`ocdscardinal` {m['ocds']['theirs'][0]['version']} (Python wheel): `coverage`", m["ocds"]["theirs"]),
        "",
        f"Ratio of times, ours / theirs, run by run: {ratios(m['ocds']['ours'], m['ocds']['theirs'], 'seconds')}. It is no like-for-like: the wheel has"
        " no `prepare` (checks and corrects) and no `indicators`, so its `coverage`, which parses each line and counts the fields in it and keeps"
        " nothing, stands for what reading such a file costs at the least.",
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
    path = ROOT / "docs" / "benchmarks.md"
    # What `flags.py` measured stays.
    text = "\n".join([*lines, section_of(path.read_text())])
    path.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
