#!/usr/bin/env python3
"""The serving path against its peers, in one run: a bare hyper server with the same bytes, FastAPI with orjson, `brotli -q 11`.

    bench/serving/run.py DATA_FOLDER [--seconds 6]

Needs the release binary (CIDADAO_BIN, or in the target folder), the examples `bare` and `json` beside it
(`cargo build --release --workspace --examples`), wrk, h2load, and a Python with fastapi, orjson, uvicorn and brotli.
Prints Markdown."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

ROUNDS = 3


def target():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release"


def get(url, headers=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request) as answer:
        return answer.headers, answer.read()


def until(url):
    for _ in range(200):
        try:
            return get(url)
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{url} does not answer")


def wrk(url, seconds, headers=(), connections=32):
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s"]
    for header in headers:
        command += ["-H", header]
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    rate, p99, _ = read_wrk(out)
    return counted(out), rate, p99


def counted(out):
    return int(re.search(r"(\d+) requests in", out)[1])


def read_wrk(out):
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    units = {"us": 0.001, "ms": 1, "s": 1000}
    quantiles = {q: float(n) * units[u] for q, n, u in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\n", out)}
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    return rate, quantiles.get("99", 0.0), int(bad[1]) if bad else 0


def h2(url, seconds, headers=()):
    command = ["h2load", "-t1", "-c8", "-m16", f"-D{seconds}"]
    for header in headers:
        command += ["-H", header]
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    done = int(re.search(r"requests: .* (\d+) succeeded", out)[1])
    return done, float(re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", out)[1]), 0.0


def rss_mib(pid):
    """Memory of its own: files that are mapped (the database) are the system's to take back."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", text)[1]) / 1024


def cpu_s(pid):
    """Seconds of processor of a process and of those it started."""
    own = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    total = (int(own[11]) + int(own[12])) / os.sysconf("SC_CLK_TCK")
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return total + sum(cpu_s(child) for child in children)


def costs(measure, servers):
    """Requests a second, processor time of a request in microseconds, and what else was measured: the cheapest of some rounds, taken in turn, for
    other work on the machine makes a round dearer, never cheaper."""
    best = {}
    for _ in range(ROUNDS):
        for name, (pid, url) in servers.items():
            before = cpu_s(pid)
            requests, rate, p99 = measure(url)
            cost = (cpu_s(pid) - before) / requests * 1e6
            if name not in best or cost < best[name][1]:
                best[name] = (rate, cost, p99)
    return best


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("--seconds", type=int, default=6)
    asked = arguments.parse_args()
    seconds, started = asked.seconds, []
    # Whoever asks here is one address.
    os.environ["CIDADAO_LIMITS_ANONYMOUS"] = "unlimited"
    binary = os.environ.get("CIDADAO_BIN", target() / "cidadao")
    work = pathlib.Path(tempfile.mkdtemp())

    def start(*command, **more):
        process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        started.append(process)
        return process

    try:
        own = start(binary, "--data-dir", asked.folder, "serve", "--listen", "127.0.0.1:19080")
        base = "http://127.0.0.1:19080"
        until(f"{base}/health/ready")
        rest = rss_mib(own.pid)
        first = json.loads(get(f"{base}/api/v1/contracts?limit=1")[1])["data"][0]["id"]
        paths = {"list": "/api/v1/contracts?limit=20", "detail": "/api/v1/contracts/" + urllib.parse.quote(first, safe="")}
        print(f"Load before: {os.getloadavg()[0]:.1f}; memory at rest {rest:.0f} MiB\n")

        print("| bytes on the wire | identity | gzip | zstd | br, first | br, after 20 hits | `brotli -q 11` |\n|---|---|---|---|---|---|---|")
        import brotli

        for name, path in {**paths, "list of 100": "/api/v1/contracts?limit=100"}.items():
            sizes = [len(get(base + path, {"accept-encoding": coding})[1]) for coding in ("identity", "gzip", "zstd", "br")]
            for _ in range(30):
                get(base + path, {"accept-encoding": "br"})
            time.sleep(2)
            dense = len(get(base + path, {"accept-encoding": "br"})[1])
            theirs = len(brotli.compress(get(base + path)[1], quality=11))
            print(f"| {name} | {' | '.join(map(str, [*sizes, dense, theirs]))} |")

        print("\n| kept, br | ours: requests/s, µs of processor | bare hyper | ratio of µs, bare / ours | p99 ours | p99 bare |\n|---|---|---|---|---|---|")
        for port, (name, path) in enumerate(paths.items(), 19081):
            headers, body = get(base + path, {"accept-encoding": "br"})
            hop = ("date", "connection", "content-length")
            (work / f"{name}.head").write_text("".join(f"{n}: {v}\n" for n, v in headers.items() if n.lower() not in hop))
            (work / f"{name}.body").write_bytes(body)
            bare = start(target() / "examples" / "bare", port, work / f"{name}.head", work / f"{name}.body")
            until(f"http://127.0.0.1:{port}/")
            servers = {"ours": (own.pid, base + path), "bare": (bare.pid, f"http://127.0.0.1:{port}{path}")}
            for version, measure in (("HTTP/1.1", wrk), ("HTTP/2", h2)):
                found = costs(lambda url: measure(url, seconds, ["accept-encoding: br"]), servers)
                (rate, cost, p99), (their_rate, their_cost, their_p99) = found["ours"], found["bare"]
                tail = f"{p99:.1f} ms | {their_p99:.1f} ms" if p99 else " | "
                print(f"| {name}, {version} | {rate:,.0f}, {cost:.1f} | {their_rate:,.0f}, {their_cost:.1f} | {their_cost / cost:.2f} | {tail} |")

        for name, path in paths.items():
            (work / f"{name}.json").write_bytes(get(base + path)[1])
        uvicorn = [sys.executable, "-m", "uvicorn", "peer:app", "--port", "19090", "--workers", "2", "--log-level", "critical"]
        peer = start(*uvicorn, cwd=pathlib.Path(__file__).parent, env={**os.environ, "DOCUMENTS": str(work)})
        until("http://127.0.0.1:19090/list")
        print("\n| as they are | ours: requests/s, µs of processor | FastAPI + orjson + uvicorn (2 processes) | ratio of µs |\n|---|---|---|---|")
        for name, path in paths.items():
            servers = {"ours": (own.pid, base + path), "peer": (peer.pid, f"http://127.0.0.1:19090/{name}")}
            found = costs(lambda url: wrk(url, seconds), servers)
            (rate, cost, _), (their_rate, their_cost, _) = found["ours"], found["peer"]
            print(f"| {name} | {rate:,.0f}, {cost:.1f} | {their_rate:,.0f}, {their_cost:.1f} | {their_cost / cost:.1f} |")

        off = start(binary, "--data-dir", asked.folder, "serve", "--listen", "127.0.0.1:19091", env={**os.environ, "CACHE_STRATEGY": "off"})
        until("http://127.0.0.1:19091/health/ready")
        rate, cost, p99 = costs(lambda url: wrk(url, seconds), {"off": (off.pid, "http://127.0.0.1:19091" + paths["list"])})["off"]
        print(f"\nThe list, not kept (SQLite, every time): {rate:,.0f}/s, {cost:.0f} µs of processor, p99 {p99:.1f} ms.")
        off.terminate()

        rows, cursor = [], ""
        while cursor is not None and len(rows) < 2_000:
            page = json.loads(get(f"{base}/api/v1/contracts?limit=100{cursor}")[1])
            rows += [row["id"] for row in page["data"]]
            following = page["page"]["next_cursor"]
            cursor = f"&cursor={following}" if following else None
        findings = [row["id"] for row in json.loads(get(f"{base}/api/v1/findings?limit=100")[1])["data"]]
        lists = [f"/api/v1/contracts?limit={n}" for n in range(1, 101)] + ["/api/v1/flags", "/api/v1/findings", "/api/v1/sources"]
        details = ["/api/v1/contracts/" + urllib.parse.quote(row, safe="") for row in rows[:700]]
        (work / "paths").write_text("\n".join(lists + [f"/api/v1/findings/{f}" for f in findings] + details))
        (work / "findings").write_text("\n".join(findings))
        figure = lambda name: float(re.search(rf"^{re.escape(name)} ([\d.e+]+)", get(f"{base}/metrics")[1].decode(), re.M)[1])
        ratio = 'cidadao_ai_cache_requests_total{cache="responses"}', 'cidadao_ai_cache_recomputes_total{cache="responses"}'
        print("\n| Zipf over 900 answers | requests/s | p99 | hit rate | refused |\n|---|---|---|---|---|")
        for writes in ("0", "0.05"):
            before = [figure(name) for name in ratio]
            environment = {**os.environ, "PATHS": str(work / "paths"), "FINDINGS": str(work / "findings"), "WRITES": writes}
            command = ["wrk", "--latency", "-t1", "-c32", f"-d{seconds * 2}s", "-s", "bench/serving/zipf.lua", base]
            out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
            rate, p99, bad = read_wrk(out)
            asked_for, made = (after - b for after, b in zip([figure(name) for name in ratio], before))
            print(f"| {float(writes):.0%} verdicts | {rate:,.0f} | {p99:.1f} ms | {1 - made / asked_for:.2%} | {bad} |")
        print(f"\nMemory after all this: {rss_mib(own.pid):.0f} MiB.")

        pages, cursor = [], ""
        while len(json.dumps(pages)) < 1_000_000 and cursor is not None:
            page = json.loads(get(f"{base}/api/v1/contracts?limit=100{cursor}")[1])
            pages += page["data"]
            following = page["page"]["next_cursor"]
            cursor = f"&cursor={following}" if following else None
        import orjson

        text = orjson.dumps({"data": pages})
        (work / "mb.json").write_bytes(text)
        sonic = json.loads(subprocess.run([target() / "examples" / "json", work / "mb.json"], capture_output=True, check=True).stdout)
        value, mib = orjson.loads(text), len(text) * 200 / (1 << 20)
        began = time.perf_counter()
        for _ in range(200):
            orjson.dumps(value)
        encode = mib / (time.perf_counter() - began)
        began = time.perf_counter()
        for _ in range(200):
            orjson.loads(text)
        decode = mib / (time.perf_counter() - began)
        print(f"\nJSON, {len(text) / 1e6:.1f} MB of contracts: sonic-rs encodes {sonic['encode_mib_s']} MiB/s and decodes {sonic['decode_mib_s']} MiB/s,")
        print(f"orjson {encode:.0f} and {decode:.0f}: {sonic['encode_mib_s'] / encode:.1f} and {sonic['decode_mib_s'] / decode:.1f} times.")
        print(f"\nLoad after: {os.getloadavg()[0]:.1f}")
    finally:
        for process in started:
            process.terminate()


if __name__ == "__main__":
    main()
