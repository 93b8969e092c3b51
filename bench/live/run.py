#!/usr/bin/env python3
"""Thousands of clients that follow what happens: memory, delay, messages a second, bytes. Prints Markdown.

    bench/live/run.py [--clients 10000] [--streams 5000] [--telling 1000] [--rounds 5]

The program is held against the npm package `ws` on Node and a bare tokio-tungstenite broadcaster in the same run; all clients are
`crates/api/examples/live_load.rs`. Needs Node, and as many open files as clients (`ulimit -n`). Times are the clients' (one clock)."""
import argparse, json, os, pathlib, re, resource, signal, socket, statistics, subprocess, sys, tempfile, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
PROGRAM, LOAD = TARGET / "cidadao", TARGET / "examples" / "live_load"


class Talker:
    """A child that answers lines."""

    def __init__(self, *command, **options):
        self.child = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)

    def hears(self):
        line = self.child.stdout.readline()
        if not line:
            sys.exit(f"{self.child.args} ended")
        return line.strip()

    def asks(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.hears()

    def ends(self):
        self.child.stdin.close()
        self.child.wait()


class Clients(Talker):
    def __init__(self, kind, address, count, packs, *what):
        super().__init__(LOAD, kind, address, count, int(packs), *what)
        assert self.hears() == "ready"

    def seen(self):
        return json.loads(self.asks("?"))

    def seen_all(self, expected, patience=120):
        """What came, once so many messages did or nothing more comes."""
        total, still, began = None, 0, time.time()
        while still < 4 and time.time() - began < patience:
            time.sleep(0.5)
            now = self.seen()
            if now["messages"]:
                still = 0
                if total is None:
                    total = now
                else:
                    total = {**now, "messages": total["messages"] + now["messages"], "bytes": total["bytes"] + now["bytes"],
                             "seconds": max(total["seconds"], 0) + now["seconds"] + 0.5}
                if expected and total["messages"] >= expected:
                    break
            elif total is not None:
                still += 1
        return total or now


def memory(pid):
    """Bytes that a process holds, pages of files left out."""
    return int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """The program over a house of its own."""

    def __init__(self, data, **settings):
        self.address = f"127.0.0.1:{free_port()}"
        env = {**os.environ, "CIDADAO_LIMITS_ANONYMOUS": "unlimited", "CIDADAO_LIVE_CONNECTIONS_PER_ADDRESS": "1000000",
               "CIDADAO_LIVE_CONNECTIONS_MAX": "1000000", "CIDADAO_LIVE_QUEUE_MAX": "2000",
               **{f"CIDADAO_LIVE_{name.upper()}": str(value) for name, value in settings.items()}}
        self.child = subprocess.Popen([PROGRAM, "serve", "--data-dir", data, "--listen", self.address], env=env, stderr=subprocess.DEVNULL)
        self.pid = self.child.pid
        for _ in range(200):
            try:
                return self.get("/health/ready") and None
            except OSError:
                time.sleep(0.1)
        sys.exit("the program does not start")

    def get(self, path):
        return urllib.request.urlopen(f"http://{self.address}{path}").read()

    def post(self, path, body):
        request = urllib.request.Request(f"http://{self.address}{path}", json.dumps(body).encode(), {"content-type": "application/json"})
        return json.loads(urllib.request.urlopen(request).read())

    def held(self):
        return self.post("/api/v1/investigations", {"scope": {}, "flags": ["BR05"], "hold": True})["id"]

    def ends(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait()


def judged_again(data, folder, n):
    """Touches many findings in one run, from outside the program that tells of it."""
    out = folder / f"more-{n}"
    subprocess.run([PROGRAM, "sample", "--contracts", "1500", "--seed", str(100 + n), "--out", out], check=True, capture_output=True)
    subprocess.run([PROGRAM, "ingest", "--data-dir", data, out], capture_output=True)


def row(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def table(*heads):
    row(*heads)
    row(*["---"] + ["---:"] * (len(heads) - 1))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--clients", type=int, default=10_000)
    options.add_argument("--streams", type=int, default=5_000)
    options.add_argument("--telling", type=int, default=1_000, help="clients who are told many messages")
    options.add_argument("--rounds", type=int, default=5)
    asked = options.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if max(asked.clients, asked.streams) + 500 > hard:
        sys.exit(f"{asked.clients} clients need as many open files; the limit is {hard} (ulimit -n)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-live-"))
    data = folder / "data"
    subprocess.run([PROGRAM, "sample", "--contracts", "800", "--out", folder / "sample"], check=True, capture_output=True)
    subprocess.run([PROGRAM, "ingest", "--data-dir", data, folder / "sample"], capture_output=True)
    print(f"{os.cpu_count()} processors, {time.strftime('%Y-%m-%d %H:%M')}\n")

    print(f"One message to all of {asked.clients} WebSockets (median of {asked.rounds} rounds)\n")
    table("", "KB each, idle", "p50 ms", "p99 ms", "last ms")
    for deflate in (False, True):
        program = Program(data)
        held = [program.held() for _ in range(asked.rounds)]
        time.sleep(2)
        before = memory(program.pid)
        clients = Clients("ws", program.address, asked.clients, deflate, *[f"investigation:{id}" for id in held[:1]])
        time.sleep(3)
        each = (memory(program.pid) - before) / asked.clients / 1024
        rounds = []
        for at in range(asked.rounds):
            if at:
                clients.ends()
                clients = Clients("ws", program.address, asked.clients, deflate, f"investigation:{held[at]}")
                time.sleep(1)
            clients.seen()
            program.post(f"/api/v1/investigations/{held[at]}/cancel", {})
            rounds.append(clients.seen_all(asked.clients))
        median = lambda name: f"{statistics.median(r[name] for r in rounds):.0f}"
        row("cidadao, deflate" if deflate else "cidadao", f"{each:.1f}", median("p50_ms"), median("p99_ms"), median("max_ms"))
        clients.ends(), program.ends()
    for name, command in peers():
        port = free_port()
        peer = Talker(*command, port)
        assert peer.hears() == "ready"
        time.sleep(1)
        before = memory(peer.child.pid)
        clients = Clients("ws", f"127.0.0.1:{port}", asked.clients, False)
        time.sleep(3)
        each = (memory(peer.child.pid) - before) / asked.clients / 1024
        rounds = []
        for _ in range(asked.rounds):
            clients.seen()
            peer.asks("1 200")
            rounds.append(clients.seen_all(asked.clients))
        median = lambda name: f"{statistics.median(r[name] for r in rounds):.0f}"
        row(name, f"{each:.1f}", median("p50_ms"), median("p99_ms"), median("max_ms"))
        clients.ends(), peer.ends()

    print(f"\nMany messages to {asked.telling} WebSockets\n")
    table("", "messages", "bytes a message", "messages/s handed over", "ratio")
    rates, size, count = {}, 700, 500
    for number, (name, settings, deflate) in enumerate([
        ("cidadao, batches of 50, deflate", {}, True),
        ("cidadao, batches of 50", {}, False),
        ("cidadao, one by one", {"max_batch_size": 1}, False),
    ]):
        program = Program(data, **settings)
        clients = Clients("ws", program.address, asked.telling, deflate, "findings")
        clients.seen()
        judged_again(data, folder, number)
        seen = clients.seen_all(None)
        told = seen["messages"] // asked.telling
        (size, count) = (round(seen["bytes"] / max(seen["messages"], 1)), max(told, 1)) if not deflate else (size, count)
        rates[name] = seen["messages"] / max(seen["seconds"], 1e-3)
        row(name, told, round(seen["bytes"] / max(seen["messages"], 1)), f"{rates[name]:,.0f}", "")
        clients.ends(), program.ends()
    for name, command in peers():
        port = free_port()
        peer = Talker(*command, port)
        assert peer.hears() == "ready"
        clients = Clients("ws", f"127.0.0.1:{port}", asked.telling, False)
        clients.seen()
        peer.asks(f"{count} {max(size - 90, 1)}")
        seen = clients.seen_all(count * asked.telling)
        rate = seen["messages"] / max(seen["seconds"], 1e-3)
        ratios = ", ".join(f"{ours / rate:.1f}× ({which.removeprefix('cidadao, ')})" for which, ours in rates.items())
        row(name, seen["messages"] // asked.telling, round(seen["bytes"] / max(seen["messages"], 1)), f"{rate:,.0f}", ratios)
        clients.ends(), peer.ends()

    print(f"\nOne event to all of {asked.streams} streams (server-sent events)\n")
    table("", "KB each, idle", "p50 ms", "p99 ms", "bytes each")
    for packs in (False, True):
        program = Program(data)
        held = program.held()
        time.sleep(2)
        before = memory(program.pid)
        clients = Clients("sse", program.address, asked.streams, packs, f"/api/v1/investigations/{held}/events")
        time.sleep(3)
        each = (memory(program.pid) - before) / asked.streams / 1024
        clients.seen()
        program.post(f"/api/v1/investigations/{held}/cancel", {})
        seen = clients.seen_all(asked.streams)
        delay = lambda name: "–" if packs else f"{seen[name]:.0f}"
        row("gzip" if packs else "as it is", f"{each:.1f}", delay("p50_ms"), delay("p99_ms"), seen["bytes"] // asked.streams)
        clients.ends(), program.ends()


def peers():
    here = pathlib.Path(__file__).parent
    if not (here / "node_modules" / "ws").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=here, check=True)
    return [("`ws` on Node", ("node", here / "peer.mjs")), ("bare tokio-tungstenite", (LOAD, "peer"))]


main()
