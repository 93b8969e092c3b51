#!/usr/bin/env python3
"""How fast `GET /api/v1/flags/BR05/preview` answers over many subjects. Prints medians and 99th percentiles; asserts no times.

The tips (the value of the parameter at which each subject turns into a hit) are synthetic: as many distinct ones as there are
subjects, which is the worst case, in the layout that the program writes, put in the place of those of a small judged sample. What
is measured is the whole way of a request over loopback; beside it stands the server's cheapest answer, `/health/live`. Every count
is compared with one reckoned here.
"""

import argparse
import array
import bisect
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What is measured is the way of a request, not when it is refused.
os.environ["CIDADAO_LIMITS_ANONYMOUS"] = "unlimited"
BINARY = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "cidadao"
WARM = 50


def tips_of(subjects, seed):
    """Rising distinct values around those of z scores, and the file that holds them."""
    draw = random.Random(seed)
    step = 20.0 / subjects
    tips = array.array("d", bytes(8 * subjects))
    value = 0.0
    for at in range(subjects):
        value += step * (0.5 + draw.random())
        tips[at] = value
    entries = array.array("Q", bytes(16 * subjects))
    entries[0::2] = array.array("Q", tips.tobytes())
    entries[1::2] = array.array("Q", range(1, subjects + 1))
    return tips, entries


def ask(connection, path):
    started = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - started) * 1_000
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {body[:300]}")
    return took, body


def measure(address, count, path_of, check):
    """Milliseconds of `count` requests over one connection, after some that warm it."""
    connection = http.client.HTTPConnection(address)
    took = []
    for at in range(count + WARM):
        path = path_of()
        milliseconds, body = ask(connection, path)
        check(path, body)
        if at >= WARM:
            took.append(milliseconds)
    return took


def line(name, took):
    took = sorted(took)
    p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
    print(f"{name:44} median {statistics.median(took):7.2f} ms   p99 {p99:7.2f} ms   most {took[-1]:7.2f} ms   n {len(took)}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--subjects", type=int, default=10_000_000)
    arguments.add_argument("--requests", type=int, default=2_000)
    arguments.add_argument("--clients", type=int, default=8)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "data"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([BINARY, "--data-dir", data, "demo", "--contracts", "500", "--no-serve"], check=True, **quiet)
        (held,) = (data / "outcomes").glob("BR05-*.z_min.tips")
        tips, entries = tips_of(asked.subjects, asked.seed)
        with open(held, "wb") as out:
            entries.tofile(out)
        del entries
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % free.getsockname()[1]
        server = subprocess.Popen([BINARY, "--data-dir", data, "serve", "--listen", address], **quiet)
        try:
            run(asked, address, held, tips)
        finally:
            server.terminate()
            server.wait()


def run(asked, address, held, tips):
    for _ in range(200):
        try:
            ask(http.client.HTTPConnection(address), "/health/live")
            break
        except OSError:
            time.sleep(0.1)
    print(f"{asked.subjects:,} subjects, all with another tip (synthetic); {held.stat().st_size / 2**20:.0f} MiB of tips; load {os.getloadavg()[0]:.1f}")
    draw = random.Random(asked.seed + 1)

    def path_of():
        values = ",".join(f"{draw.uniform(1, 20):.4f}" for _ in range(4))
        return f"/api/v1/flags/BR05/preview?z_min={values}"

    def check(path, body):
        for at in json.loads(body)["parameters"][0]["at"]:
            expected = len(tips) - bisect.bisect_right(tips, at["value"])
            if at["hit"] != expected:
                raise SystemExit(f"{path}: {at}, expected {expected}")

    def nothing(path, body):
        pass

    line("cheapest answer (/health/live)", measure(address, asked.requests, lambda: "/health/live", nothing))
    line("preview, four values", measure(address, asked.requests, path_of, check))
    each = asked.requests // asked.clients
    with concurrent.futures.ThreadPoolExecutor(asked.clients) as pool:
        parts = [pool.submit(measure, address, each, path_of, check) for _ in range(asked.clients)]
        together = [took for part in parts for took in part.result()]
    line(f"preview, four values, {asked.clients} clients at once", together)


if __name__ == "__main__":
    main()
