#!/usr/bin/env python3
"""What metrics cost: requests a second with and without, in alternating runs of two servers over one data folder each.

    bench/metrics.py DATA_FOLDER [--rounds 7] [--seconds 3]

Needs the release binary (CIDADAO_BIN, or in the target folder) and wrk. DATA_FOLDER is copied twice. Three questions: a hit in memory (the
cheapest answer there is, so the dearest case for metrics), the same with a trace that is kept as an example, and one that asks the
database each time. Prints the median of the rounds' ratios, with the smallest and the largest, of requests a second and of the server's
processor time for a request, which a busy machine disturbs less; bounded by rounds and seconds."""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

TRACE = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
QUESTIONS = [
    ("a hit in memory", "/api/v1/contracts?limit=5", "multi_tier", ()),
    ("a hit in memory, traced", "/api/v1/contracts?limit=5", "multi_tier", (TRACE,)),
    ("asked of the database", "/api/v1/contracts?limit=5", "off", ()),
]


def program():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "release/cidadao"
    return os.environ.get("CIDADAO_BIN", str(target))


def serve(folder, enabled, strategy):
    variables = {
        "CIDADAO_METRICS_ENABLED": str(enabled).lower(),
        "CIDADAO_LIMITS_ANONYMOUS": "unlimited",
        "CACHE_STRATEGY": strategy,
    }
    command = [program(), "serve", "--data-dir", str(folder), "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(command, env=os.environ | variables, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for line in server.stderr:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            # Its further words are few at this level, and fit the pipe.
            return server, found[0]
    sys.exit("the server did not start")


def rate(url, seconds, headers):
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s"]
    for header in headers:
        command += ["-H", header]
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        sys.exit(f"{url}: {said}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), int(re.search(r"(\d+) requests in", said)[1])


def cpu_s(server):
    fields = pathlib.Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shown(ratios):
    ordered = sorted(ratios)
    return f"{statistics.median(ordered):.3f} ({ordered[0]:.3f} to {ordered[-1]:.3f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data_folder", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7, choices=range(1, 31))
    parser.add_argument("--seconds", type=int, default=3, choices=range(1, 31))
    asked = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    print("| question | with, requests/s | without, requests/s | rates: with ÷ without (median, least to most) | processor time of one: with ÷ without |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folders = {}
        for enabled in (True, False):
            folders[enabled] = pathlib.Path(place) / str(enabled)
            shutil.copytree(asked.data_folder, folders[enabled])
        for name, path, strategy, headers in QUESTIONS:
            servers = {enabled: serve(folders[enabled], enabled, strategy) for enabled in (True, False)}
            rates, costs = {True: [], False: []}, {True: [], False: []}
            try:
                for _, address in servers.values():
                    urllib.request.urlopen(address + path).read()
                    rate(address + path, 1, headers)
                for number in range(asked.rounds):
                    # Who is first changes from round to round.
                    for enabled in ((True, False) if number % 2 == 0 else (False, True)):
                        server, address = servers[enabled]
                        before = cpu_s(server)
                        per_s, requests = rate(address + path, asked.seconds, headers)
                        rates[enabled].append(per_s)
                        costs[enabled].append((cpu_s(server) - before) / requests)
            finally:
                for server, _ in servers.values():
                    server.terminate()
                    server.wait()
            on, off = (statistics.median(rates[enabled]) for enabled in (True, False))
            of_rates, of_costs = ([a / b for a, b in zip(of[True], of[False])] for of in (rates, costs))
            print(f"| {name} | {on:,.0f} | {off:,.0f} | {shown(of_rates)} | {shown(of_costs)} |", flush=True)


main()
