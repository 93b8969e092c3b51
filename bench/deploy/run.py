#!/usr/bin/env python3
"""What it costs to run the program: start, memory, sizes. Prints Markdown.

    bench/deploy/run.py BINARY [--contracts 20000] [--seconds 20] [--data FOLDER]

A start is from `exec` to the first 200 of /health/ready, asked every millisecond; the median of seven. "Cold" drops the files' pages
(POSIX_FADV_DONTNEED) before each. Memory is what the process itself holds (RssAnon) and all that is resident (VmRSS, pages of files
included). Load is eight clients for `--seconds` over lists, search, findings, previews, exports and GraphQL, with one investigation of
everything beside them. The same again in control groups of 2 GiB, 1 GiB and 512 MiB with two processors, made by root; where none can be
made the table says so. Redis, where it is installed, is the yardstick of a start."""

import argparse
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

STARTS = 7
CLIENTS = 8
PATHS = [
    "/api/v1/contracts?limit={}", "/api/v1/contracts?q=aquisicao&limit={}", "/api/v1/contracts?sort=-value&limit={}",
    "/api/v1/suppliers?limit={}", "/api/v1/findings?limit={}", "/api/v1/flags/BR05/preview?z_min=3,3.5,4", "/api/v1/sources",
    "/api/v1/exports/findings.csv", "/api/v1/buyers?q=municipio&limit={}",
]
QUERY = json.dumps({"query": "{ contracts(first: 20) { edges { node { id supplier { name } } } } }"})


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ready(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class Running:
    """The program, or another, from its start on."""

    def __init__(self, command, port, is_ready=ready, group=None, environment=None):
        joins = "".join(f"echo $$ > {folder}/cgroup.procs && " for folder in (group or []))
        if group:
            command = ["sh", "-c", joins + 'exec "$0" "$@"', *command]
        begun = time.perf_counter()
        self.child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        while not is_ready(port):
            if self.child.poll() is not None or time.perf_counter() - begun > 120:
                raise SystemExit(f"{command} did not start")
            time.sleep(0.001)
        self.took_ms = (time.perf_counter() - begun) * 1000

    def memory_mib(self):
        fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines() if ":" in line)
        return tuple(int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "VmRSS"))

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(60)


def drop_pages(*places):
    os.sync()
    for place in places:
        files = [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]
        for file in files:
            with open(file, "rb") as opened:
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def environment():
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CIDADAO_")}
    return kept | {"CIDADAO_LIMITS_ANONYMOUS": "unlimited", "CIDADAO_LOG_FILTER": "error"}


def serve(binary, data, roles="all", group=None, **more):
    port = free_port()
    command = [str(binary), "--data-dir", str(data), "serve", "--listen", f"127.0.0.1:{port}", "--roles", roles]
    running = Running(command, port, group=group, environment=environment() | more)
    running.port = port
    return running


def starts(start):
    took = []
    for _ in range(STARTS):
        running = start()
        took.append(running.took_ms)
        running.stop()
    return statistics.median(took), max(took)


def load(port, seconds):
    """Asks until the time is over; gives how many answers there were of which kind."""
    until, counts, lock = time.time() + seconds, {}, threading.Lock()

    def client(number):
        connection, turn = http.client.HTTPConnection("127.0.0.1", port, timeout=60), number
        while time.time() < until:
            turn += 1
            try:
                if turn % (len(PATHS) + 1) == 0:
                    connection.request("POST", "/graphql", QUERY, {"content-type": "application/json"})
                else:
                    # Some questions differ, so that not everything is a hit of what is kept.
                    path = PATHS[turn % (len(PATHS) + 1) - 1]
                    connection.request("GET", path.format(turn % 90 + 10))
                answer = connection.getresponse()
                answer.read()
                kind = f"{answer.status // 100}xx" if answer.status != 503 else "503"
            except (OSError, http.client.HTTPException):
                connection.close()
                kind = "broken"
            with lock:
                counts[kind] = counts.get(kind, 0) + 1

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/v1/investigations", '{"scope": {}}', {"content-type": "application/json"})
    connection.getresponse().read()
    clients = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in clients:
        thread.start()
    return clients, counts


def under_load(running, seconds):
    clients, counts = load(running.port, seconds)
    highest = (0.0, 0.0)
    while any(thread.is_alive() for thread in clients):
        try:
            highest = tuple(max(pair) for pair in zip(highest, running.memory_mib()))
        except (FileNotFoundError, KeyError):
            pass
        time.sleep(0.05)
    return highest, counts, running.child.poll() is None


class Group:
    """A control group with so much memory and two processors."""

    def __init__(self, mib):
        root, name = pathlib.Path("/sys/fs/cgroup"), f"cidadao-bench-{os.getpid()}-{mib}"
        if (root / "memory").is_dir():
            self.parts = [(root / "memory" / name, {"memory.limit_in_bytes": mib << 20}),
                          (root / "cpu" / name, {"cpu.cfs_period_us": 100_000, "cpu.cfs_quota_us": 200_000})]
        else:
            self.parts = [(root / name, {"memory.max": mib << 20, "cpu.max": "200000 100000"})]
        self.folders = []
        for folder, bounds in self.parts:
            folder.mkdir()
            self.folders.append(folder)
            for file, value in bounds.items():
                (folder / file).write_text(str(value))

    def remove(self):
        for folder in self.folders:
            time.sleep(0.2)
            folder.rmdir()


def mib(path):
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file() and not p.is_symlink()]
    return sum(p.stat().st_size for p in files) / 2**20


def sizes(binary, work):
    """Of what is handed to people, made of the binary that was measured, without its symbols."""
    top = pathlib.Path(__file__).resolve().parent.parent.parent
    rootfs, archive, package = work / "rootfs", work / "rootfs.tar.gz", work / "cidadao.deb"
    subprocess.run([top / "scripts/rootfs.sh", binary, top / "native/lib/libduckdb.so", rootfs], check=True)
    subprocess.run(["tar", "-C", rootfs, "-czf", archive, "."], check=True)
    yield "program", mib(rootfs / "usr/bin/cidadao")
    yield "DuckDB library", mib(next(rootfs.rglob("libduckdb.so")))
    yield "container image (all files of the root, nothing below it)", mib(rootfs)
    yield "… as it travels (one layer, gzip)", mib(archive)
    made = subprocess.run([top / "scripts/deb.sh", binary.parent.name, package], capture_output=True, text=True,
                          env=os.environ | {"CARGO_TARGET_DIR": str(binary.parent.parent)})
    if made.returncode == 0:
        how = "xz" if binary.parent.name == "dist" else "xz, quick"
        yield f"Debian package ({how})", mib(package)


def redis_start():
    program = shutil.which("redis-server")
    if not program:
        return None

    def pong(port):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                s.sendall(b"PING\r\n")
                return s.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    def start():
        port = free_port()
        return Running([program, "--port", str(port), "--save", ""], port, pong)
    return starts(start)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--contracts", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--data", type=pathlib.Path, help="a data folder that is there already; it is copied")
    asked = parser.parse_args()
    binary = asked.binary.resolve()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        data = work / "data"
        if asked.data:
            shutil.copytree(asked.data, data)
        else:
            run = lambda *args: subprocess.run([binary, *map(str, args)], env=environment(), stdout=subprocess.DEVNULL).returncode
            run("sample", "--contracts", asked.contracts, "--out", work / "sample")
            if run("--data-dir", data, "ingest", work / "sample") not in (0, 3):
                raise SystemExit("the sample could not be ingested")
        print(f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} processors, load before {os.getloadavg()[0]:.1f}, "
              f"{asked.contracts} contracts, data folder {mib(data):.0f} MiB\n")

        print("| start to ready | median ms | worst of 7 |\n|---|---|---|")
        number = iter(range(10_000))
        rows = [("into an empty folder", lambda: serve(binary, work / f"empty-{next(number)}")),
                ("over the data", lambda: serve(binary, data)),
                ("over the data, cold", lambda: (drop_pages(data, binary, binary.parent / "libduckdb.so"), serve(binary, data))[1]),
                ("a worker over the data", lambda: serve(binary, data, roles="worker"))]
        for name, start in rows:
            median, worst = starts(start)
            print(f"| {name} | {median:.0f} | {worst:.0f} |")
        if (yardstick := redis_start()):
            print(f"| redis-server, empty | {yardstick[0]:.0f} | {yardstick[1]:.0f} |")

        print("\n| memory | at rest: own / resident MiB | under load | answers 2xx / 4xx / 503 / other | alive |\n|---|---|---|---|---|")
        bounds = [("no bound", None), ("2 GiB", 2048), ("1 GiB", 1024), ("512 MiB", 512)]
        for name, bound in bounds:
            copy = work / f"data-{bound}"
            shutil.copytree(data, copy)
            try:
                group = Group(bound) if bound else None
            except OSError as error:
                print(f"| {name} | no control group: {error} | | | |")
                continue
            running = serve(binary, copy, group=group and group.folders)
            time.sleep(5)
            rest = running.memory_mib()
            highest, counts, alive = under_load(running, asked.seconds)
            running.stop()
            if group:
                group.remove()
            other = sum(n for kind, n in counts.items() if kind not in ("2xx", "4xx", "503"))
            print(f"| {name} | {rest[0]:.0f} / {rest[1]:.0f} | {highest[0]:.0f} / {highest[1]:.0f} | "
                  f"{counts.get('2xx', 0)} / {counts.get('4xx', 0)} / {counts.get('503', 0)} / {other} | {'yes' if alive else 'NO'} |")
            shutil.rmtree(copy)

        print("\n| size | MiB |\n|---|---|")
        for name, size in sizes(binary, work):
            print(f"| {name} | {size:.1f} |")


main()
