#!/usr/bin/env python3
"""Investigations at once against one server: time to plan, first finding and end, fairness, memory.

    bench/agents.py BINARY DATA_DIR [N] [BODY_JSON]

Works on the data folder that it is given (investigations are written to it). Only loopback.
"""
import json, os, statistics, subprocess, sys, threading, time, urllib.request

binary, folder = sys.argv[1], sys.argv[2]
n = int(sys.argv[3]) if len(sys.argv) > 3 else 100
body = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {"scope": {"state": "SP"}}

environment = dict(os.environ, CIDADAO_LIMITS_ANONYMOUS="unlimited")
server = subprocess.Popen([binary, "--data-dir", folder, "serve", "--listen", "127.0.0.1:0"], env=environment,
                          stderr=subprocess.PIPE, text=True)
base = None
for line in server.stderr:
    if "http://" in line:
        base = line.split("http://")[1].split("/")[0]
        break
threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()


def call(path, data=None):
    request = urllib.request.Request(f"http://{base}/api/v1/{path}", json.dumps(data).encode() if data else None,
                                     {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def rss():
    for line in open(f"/proc/{server.pid}/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024


def seconds(text):
    from datetime import datetime
    return datetime.fromisoformat(text).timestamp()


def share(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


try:
    time.sleep(1)
    idle = rss()
    alone = call("investigations", body)["id"]
    while call(f"investigations/{alone}")["status"] == "active":
        time.sleep(0.02)
    one = call(f"investigations/{alone}")
    print(f"one alone: {seconds(one['ended_at']) - seconds(one['created_at']):.3f} s, {one['findings_total']} findings")
    started, most, ids = time.time(), idle, []
    threads = [threading.Thread(target=lambda: ids.append(call("investigations", body)["id"])) for _ in range(n)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    asked = time.time() - started
    while call("investigations?status=active&limit=1")["data"]:
        most = max(most, rss())
        time.sleep(0.1)
    took, planned, first, ended = time.time() - started, [], [], []
    for id in ids:
        shown = call(f"investigations/{id}")
        begun = seconds(shown["created_at"])
        ended.append(seconds(shown["ended_at"]) - begun)
        stream = urllib.request.urlopen(f"http://{base}/api/v1/investigations/{id}/events", timeout=60).read().decode()
        events = [block.split("\n") for block in stream.split("\n\n") if "data:" in block]
        for kinds, into in ((("planned",), planned), (("flag_judged", "part_judged"), first)):
            for lines in events:
                fields = dict(line.split(": ", 1) for line in lines if ": " in line)
                data = json.loads(fields["data"])
                if fields.get("event") in kinds and (into is planned or data.get("findings")):
                    into.append(seconds(data["at"]) - begun)
                    break
    for name, values in (("planned", planned), ("first flag with findings", first), ("ended", ended)):
        if values:
            print(f"{name}: median {statistics.median(values):.3f} s, p95 {share(values, .95):.3f} s, longest {max(values):.3f} s")
    print(f"{n} asked in {asked:.2f} s, all ended after {took:.2f} s: {took / n * 1000:.0f} ms each; "
          f"memory {idle:.0f} MiB before, {most:.0f} MiB at most")
finally:
    server.terminate()
    server.wait()
