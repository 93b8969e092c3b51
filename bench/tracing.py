#!/usr/bin/env python3
"""What tracing costs: one binary, one folder, served twice at once, with tracing off and on; asked in turn, so that what else the machine
does meets both. A collector on loopback takes the spans.

    bench/tracing.py DATA_FOLDER [--seconds 4] [--rounds 6] [--sample 0.01]

Needs the release binary (CIDADAO_BIN, or in the target folder) and wrk. Prints Markdown: requests/s with tracing over without, the median of
the rounds and their range. `hit` is answered out of memory, `miss` (CACHE_STRATEGY=off) asks the database each time."""

import argparse
import http.server
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

PATH = "/api/v1/contracts?limit=20"


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    spans = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Collector.spans += body.count(b'"spanId"')
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def serve(binary, folder, settings):
    port = free_port()
    environment = {**os.environ, "CIDADAO_LIMITS_ANONYMOUS": "unlimited", **settings}
    command = [binary, "serve", "--roles", "api", "--data-dir", folder, "--listen", f"127.0.0.1:{port}"]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}{PATH}"
    for _ in range(200):
        try:
            urllib.request.urlopen(url).read()
            return child, url
        except OSError:
            time.sleep(0.05)
    child.kill()
    sys.exit(f"{url} does not answer")


def rate(url, seconds):
    out = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out:
        sys.exit(out)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder")
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--rounds", type=int, default=6)
    options.add_argument("--sample", default="0.01")
    asked = options.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release" / "cidadao"
    binary = os.environ.get("CIDADAO_BIN", str(target))
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    on = {
        "CIDADAO_TELEMETRY_ENDPOINT": f"http://127.0.0.1:{collector.server_port}/v1/traces",
        "CIDADAO_TELEMETRY_SAMPLE": asked.sample,
        "CIDADAO_TELEMETRY_RECORDED_PER_S": "100000",
    }
    print(f"load {os.getloadavg()[0]:.1f}; {asked.rounds} rounds of {asked.seconds} s each, sample = {asked.sample}\n")
    print("| | off, requests/s | on, requests/s | on ÷ off | range |\n|---|---|---|---|---|")
    for name, settings in [("hit", {}), ("miss", {"CACHE_STRATEGY": "off"})]:
        servers = [serve(binary, asked.folder, {**settings, **more}) for more in ({}, on)]
        try:
            for _, url in servers:
                rate(url, 1)
            ratios, rates = [], ([], [])
            for round_number in range(asked.rounds):
                # Who goes first changes.
                order = (0, 1) if round_number % 2 == 0 else (1, 0)
                got = {which: rate(servers[which][1], asked.seconds) for which in order}
                ratios.append(got[1] / got[0])
                for which in (0, 1):
                    rates[which].append(got[which])
            off, with_it = (statistics.median(r) for r in rates)
            span = f"{min(ratios):.3f}–{max(ratios):.3f}"
            print(f"| {name} | {off:,.0f} | {with_it:,.0f} | {statistics.median(ratios):.3f} | {span} |", flush=True)
        finally:
            for child, _ in servers:
                child.kill()
                child.wait()
    time.sleep(1.5)
    print(f"\n{Collector.spans:,} spans reached the collector.")


if __name__ == "__main__":
    main()
