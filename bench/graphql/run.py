#!/usr/bin/env python3
"""GraphQL against its peers over one PostgreSQL, in one run: 10 buyers, 10 contracts of each, their suppliers, 2 findings of each.

    bench/graphql/run.py DATA_FOLDER [--seconds 6] [--connections 8]

DATA_FOLDER is one that was ingested and judged into SQLite; it is copied into a PostgreSQL of its own, which is gone afterwards. Needs the
release binary (CIDADAO_BIN, or in the target folder), PostgreSQL, wrk, npm and python3-venv; the peers are installed beside this file
the first time. Prints Markdown."""

import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
NOBODY = 65534
ROUNDS = 3
# Requests over which statements are counted, and before them, so that every connection knows its types.
ASKED, ASKED_BEFORE = 20, 20
TREE = """{ buyers(first: 10) { nodes { id name contracts(first: 10) { nodes { id object valueFinal signedOn
    supplier { id name findings(first: 2) { nodes { id flag severity title { pt } } } } } } } } }"""
OF_POSTGRAPHILE = """{ allBuyers(first: 10, orderBy: [NAME_ASC]) { nodes { rowId name
    contractsByBuyerId(first: 10, orderBy: [SIGNED_ON_DESC]) { nodes { rowId object valueFinal signedOn
    supplierBySupplierId { rowId name findingsBySupplierId(first: 2, orderBy: [GRAVITY_DESC]) { nodes { rowId flag severity titlePt } } } } } } } }"""
OF_STRAWBERRY = """{ buyers(first: 10) { id name contracts(first: 10) { id object valueFinal signedOn
    supplier { id name findings(first: 2) { id flag severity title { pt } } } } } }"""
CONTRACTS = """{ contracts(first: 100) { nodes { id source number process object modality modalityAsStated legalBasis regime status category
    buyerStated { id name state } supplierStated { id name } signedOn publishedOn startsOn endsOn valueInitial valueFinal currency income activity
    activityBasis tenderId provenance { file line lineKind fileSha256 rowHash fetchedAt } } } }"""


def target():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def need(program, package):
    if not shutil.which(program):
        sys.exit(f"{program} is missing: apt-get install {package}")


def postgres_program(name):
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else sys.exit("PostgreSQL is missing: apt-get install postgresql")


class Postgres:
    """An own one, with its statements counted."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"postgres://cidadao@127.0.0.1:{self.port}/bench"
        own = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        if own:
            os.chown(folder, NOBODY, NOBODY)
        data = str(folder / "data")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        made = [postgres_program("initdb"), "-U", "cidadao", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D", data]
        subprocess.run(made, check=True, **quiet, **own)
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=256MB", "shared_preload_libraries=pg_stat_statements"]
        command = [postgres_program("postgres"), "-D", data, "-p", str(self.port)]
        self.process = subprocess.Popen(command + [part for setting in settings for part in ("-c", setting)], **quiet, **own)
        for _ in range(200):
            if self.ask("select 1", "postgres").strip() == "1":
                break
            time.sleep(0.05)
        self.ask("create database bench", "postgres")
        self.ask("create extension pg_stat_statements")

    def ask(self, sql, database="bench", file=None):
        what = ["-f", str(file)] if file else ["-c", sql]
        url = self.url.rsplit("/", 1)[0] + "/" + database
        return subprocess.run(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", url, *what], capture_output=True, text=True).stdout

    def statements(self, ask):
        """Statements on the tables of the tree that one `ask` takes, as the server counted them over several."""
        for n in range(ASKED_BEFORE):
            ask(n)
        self.ask("select pg_stat_statements_reset()")
        for n in range(ASKED):
            ask(ASKED_BEFORE + n)
        # What each process looks at by itself, whoever asks, begins with a comment.
        of_tree = "query ~ '(buyers|contracts|suppliers|findings|entity_members)' and query not like '--%' and query not ilike '%pg_%'"
        return int(self.ask(f"select coalesce(sum(calls), 0) from pg_stat_statements where {of_tree}")) / ASKED


def post(url, query):
    request = urllib.request.Request(url, json.dumps({"query": query}).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers, json.load(answer)


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


def until(url):
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{url} does not answer")


def cpu_s(pid):
    """Seconds of processor of a process and of those it started."""
    own = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return (int(own[11]) + int(own[12])) / os.sysconf("SC_CLK_TCK") + sum(cpu_s(child) for child in children)


def load(folder, url, query, asked, every_another=False):
    """Requests a second and their median in ms. `every_another`: no two queries are the same, so that no whole answer is kept."""
    if query is None:
        script = ""
    else:
        script = f"wrk.method = 'POST'\nwrk.headers['content-type'] = 'application/json'\nwrk.body = {lua(json.dumps({'query': query}))}\n"
    if every_another:
        head = json.dumps({"query": query})[:-3]
        script += f"local n, seed = 0, tostring({time.time_ns()})\n"
        script += f"request = function() n = n + 1; return wrk.format(nil, nil, nil, {lua(head)} .. ' a' .. seed .. 'x' .. n .. ': __typename }}\"}}') end\n"
    file = folder / "ask.lua"
    file.write_text(script)
    command = ["wrk", "--latency", "-t1", f"-c{asked.connections}", f"-d{asked.seconds}s", "--timeout", "30s", "-s", str(file), url]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        sys.exit(f"{url}: {out}")
    done = int(re.search(r"(\d+) requests in", out)[1])
    median = re.search(r"50%\s+([\d.]+)(us|ms|s)\n", out)
    if not done or not median:
        sys.exit(f"{url}: {out}")
    number, unit = median.groups()
    return done, float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def lua(text):
    return "[==[" + text + "]==]"


def ids_of(data):
    """The ids of contracts of each buyer, whoever answered."""
    buyers = data.get("allBuyers", data.get("buyers"))
    rows = lambda many: many["nodes"] if isinstance(many, dict) else many
    of = lambda row: row.get("rowId", row.get("id"))
    return {of(b): [of(c) for c in rows(b.get("contractsByBuyerId", b.get("contracts")))] for b in rows(buyers)}


def by_rest(base):
    """The facts of the tree, request by request; how many it took."""
    quoted = lambda text: urllib.parse.quote(text, safe="")
    asked, suppliers = 1, set()
    for buyer in get(f"{base}/api/v1/buyers?limit=10")["data"]:
        asked += 1
        contracts = get(f"{base}/api/v1/contracts?limit=10&buyer_id={quoted(buyer['id'])}")["data"]
        suppliers |= {c["supplier"]["id"] for c in contracts if c["supplier"] and c["supplier"]["id"]}
    for supplier in suppliers:
        asked += 2
        get(f"{base}/api/v1/suppliers/{quoted(supplier)}")
        get(f"{base}/api/v1/findings?limit=2&supplier_id={quoted(supplier)}")
    return asked


def installed():
    """The peers, beside this file."""
    if not (HERE / "postgraphile/node_modules").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=HERE / "postgraphile", check=True)
    venv = HERE / "postgraphile/node_modules/.venv"
    if not (venv / "bin/uvicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / "requirements.txt")], check=True)
    return venv


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("--seconds", type=int, default=6)
    arguments.add_argument("--connections", type=int, default=8)
    asked = arguments.parse_args()
    need("wrk", "wrk")
    need("psql", "postgresql-client")
    venv, started = installed(), []
    binary = str(os.environ.get("CIDADAO_BIN", target() / "cidadao"))
    work = pathlib.Path(tempfile.mkdtemp())
    os.chmod(work, 0o755)
    (work / "pg").mkdir()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def start(*command, **more):
        process = subprocess.Popen([str(part) for part in command], **quiet, **more)
        started.append(process)
        return process

    try:
        postgres = Postgres(work / "pg")
        started.append(postgres.process)
        # The folder stays as it is.
        shutil.copytree(asked.folder, work / "data", ignore=shutil.ignore_patterns("*.lock", "spill"))
        subprocess.run([binary, "copy", "--data-dir", str(work / "data"), "--to", postgres.url], check=True, **quiet)
        postgres.ask("", file=HERE / "peer.sql")
        own = {**os.environ, "DATABASE_URL": postgres.url, "CIDADAO_LIMITS_ANONYMOUS": "unlimited"}
        servers = {}
        for name, more in [("ours, caches off", {"CACHE_STRATEGY": "off"}), ("ours", {})]:
            port = free_port()
            process = start(binary, "--data-dir", work / "data", "serve", "--listen", f"127.0.0.1:{port}", env={**own, **more})
            until(f"http://127.0.0.1:{port}/health/ready")
            servers[name] = (process, f"http://127.0.0.1:{port}")
        port = free_port()
        node = HERE / "postgraphile/node_modules/.bin/node"
        process = start(node, "server.mjs", cwd=HERE / "postgraphile", env={**own, "PORT": str(port), "GRAPHILE_ENV": "production"})
        servers["PostGraphile"] = (process, f"http://127.0.0.1:{port}")
        port = free_port()
        command = [venv / "bin/uvicorn", "strawberry_peer:app", "--port", port, "--log-level", "error", "--no-access-log"]
        servers["Strawberry"] = (start(*command, cwd=HERE, env=own), f"http://127.0.0.1:{port}")
        for name in ("PostGraphile", "Strawberry"):
            until(servers[name][1] + "/graphql")
        report(postgres, servers, work, asked)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()
        shutil.rmtree(work, ignore_errors=True)


def report(postgres, servers, work, asked):
    off, on = servers["ours, caches off"], servers["ours"]
    rows = [
        ("`cidadao`, caches off", off, TREE, False),
        ("`cidadao`, no query twice (values of fields kept)", on, TREE, True),
        ("`cidadao`, whole answers kept", on, TREE, False),
        ("PostGraphile 5", servers["PostGraphile"], OF_POSTGRAPHILE, False),
        ("Strawberry on FastAPI", servers["Strawberry"], OF_STRAWBERRY, False),
    ]
    answers = {name: post(url + "/graphql", query) for name, (_, url), query, _ in rows}
    expected = ids_of(answers[rows[0][0]][1]["data"])
    same = {name: ids_of(answer["data"]) == expected for name, (_, answer) in answers.items()}
    again = post(on[1] + "/graphql", TREE)[0].get("cache-status", "none")
    measured = {}
    for _ in range(ROUNDS):
        for name, (process, url), query, another in rows:
            before = cpu_s(process.pid)
            done, rate, median = load(work, url + "/graphql", query, asked, another)
            cost = (cpu_s(process.pid) - before) / done * 1e3
            # Other work on the machine makes a round slower, never faster.
            if name not in measured or rate > measured[name][0]:
                measured[name] = (rate, median, cost)
    print(f"Load before: {os.getloadavg()[0]:.1f}; {os.cpu_count()} processors; {asked.connections} connections, best of {ROUNDS} rounds of {asked.seconds} s.")
    contracts = sum(map(len, expected.values()))
    print(f"The tree: {len(expected)} buyers, {contracts} contracts. Kept whole: `Cache-Status: {again}`; caches off: `{answers[rows[0][0]][0].get('cache-status', 'none')}`.\n")
    print("| | requests/s | median ms | CPU ms of the server per request | statements | same contracts | requests/s, caches off ÷ its | CPU, its ÷ caches off |\n|---|---|---|---|---|---|---|---|")
    base = measured[rows[0][0]]
    for name, (_, url), query, another in rows:
        rate, median, cost = measured[name]
        once = lambda n: query.rstrip()[:-1] + f" once{n}x{time.time_ns()}: __typename }}" if another else query
        statements = postgres.statements(lambda n: post(url + "/graphql", once(n)))
        print(f"| {name} | {rate:.0f} | {median:.2f} | {cost:.2f} | {statements:.1f} | {'yes' if same[name] else 'NO'} | {base[0] / rate:.2f} | {cost / base[2]:.2f} |")
    url = off[1]
    measured = {}
    for _ in range(ROUNDS):
        for name, path, query in [("GraphQL", "/graphql", CONTRACTS), ("REST", "/api/v1/contracts?limit=100", None)]:
            before = cpu_s(off[0].pid)
            done, rate, median = load(work, url + path, query, asked)
            cost = (cpu_s(off[0].pid) - before) / done * 1e3
            if name not in measured or rate > measured[name][0]:
                measured[name] = (rate, median, cost)
    print("\n| 100 whole contracts, caches off | requests/s | median ms | CPU ms of the server per request |\n|---|---|---|---|")
    for name, (rate, median, cost) in measured.items():
        print(f"| {name} | {rate:.0f} | {median:.2f} | {cost:.2f} |")
    ratio = [measured["REST"][0] / measured["GraphQL"][0], measured["GraphQL"][2] / measured["REST"][2]]
    print(f"\nGraphQL ÷ REST: {ratio[0]:.2f} by requests/s, {ratio[1]:.2f} by CPU (goal ≤ 2).")
    begun = time.perf_counter()
    requests = by_rest(url)
    rest = time.perf_counter() - begun
    begun = time.perf_counter()
    post(url + "/graphql", TREE)
    print(f"The tree by REST, one request after the other: {requests} requests, {rest * 1e3:.0f} ms; by GraphQL {(time.perf_counter() - begun) * 1e3:.0f} ms.")


if __name__ == "__main__":
    main()
