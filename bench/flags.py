#!/usr/bin/env python3
"""Judging beside the same questions by hand: `cidadao flags run` and an analyst's DuckDB and pandas over the same Parquet files.

    python3 bench/flags.py --data-dir FOLDER [--runs 3] [--threads 2] [--no-pandas] [--write]

Each run starts every side once, one after the other, as a process of its own; medians count. The peers give the ids of the hits
and nothing else; we judge every subject as hit, clear or not computable and explain each hit. The ids are compared one by one
with our stored outcomes, and the script stops where they differ. It also measures judging after a small ingest into a copy of the
folder, and the whole catalogue with what it spills. Needs Python 3.11 with duckdb, pandas and pyarrow, and a judged folder
(`cidadao --data-dir FOLDER ingest SAMPLE`). Nothing of the folder changes but its judgement, which is made anew.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import duckdb

from flags_sql import QUERIES
from run import BINARY, JUDGING, ROOT, section_of


class Sizes:
    """The greatest size of a folder while something runs."""

    def __init__(self, folder):
        self.folder, self.most, self.over = folder, 0, threading.Event()
        self.watch = threading.Thread(target=self.look, daemon=True)

    def look(self):
        while not self.over.wait(0.05):
            size = 0
            for path in self.folder.rglob("*"):
                try:
                    size += path.stat().st_size
                except OSError:
                    pass
            self.most = max(self.most, size)

    def __enter__(self):
        self.watch.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.watch.join()


def run(command, spill):
    """Seconds, CPU seconds, peak MiB, spilled MiB and the JSON that a command prints."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Sizes(spill) as sizes:
        started = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        seconds = time.monotonic() - started
        out.seek(0), err.seek(0)
        text, said = out.read().decode(), err.read().decode()
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(f"{command} ended with {os.waitstatus_to_exitcode(status)}: {said[-2000:]}")
    print(f"{seconds:6.1f} s {usage.ru_maxrss / 1024:6.0f} MiB  {' '.join(str(part) for part in command)[-100:]}", file=sys.stderr, flush=True)
    return {
        "seconds": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "mib": usage.ru_maxrss / 1024,
        "spill": sizes.most / 2**20,
        "json": json.loads(text),
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data-dir", type=pathlib.Path, required=True)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=2, help="of each side")
    arguments.add_argument("--flag", action="append", choices=list(QUERIES), help="only these flags")
    arguments.add_argument("--no-pandas", action="store_true", help="where the records would not fit into memory as data frames")
    arguments.add_argument("--small", type=int, default=100, help="contracts of the small sample that is added to a copy (at least 100); 0 is none")
    arguments.add_argument("--small-files", type=pathlib.Path, help="add these files instead of a sample")
    arguments.add_argument("--binary", type=pathlib.Path, default=BINARY)
    arguments.add_argument("--write", action="store_true", help="put the results into docs/benchmarks.md")
    options = arguments.parse_args()
    options.codes = options.flag or list(QUERIES)
    # Who is told to end ends the program that runs and leaves no copy.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="cidadao-flags-", dir=options.data_dir.resolve().parent) as folder:
        work = pathlib.Path(folder)
        options.settings = work / "settings.toml"
        options.settings.write_text(f"[analysis]\nthreads = {options.threads}\n")
        measured = measure(options)
        measured["small"] = measure_small(options, work)
    text = report(options, measured)
    print(text)
    if options.write:
        write(text)


def ours(options, data, *arguments):
    return run([options.binary, "--data-dir", data, "--config", options.settings, "--json", *arguments], data / "spill")


def peer(options, engine, codes):
    script = pathlib.Path(__file__).with_name("flags_peer.py")
    return run([sys.executable, script, engine, options.data_dir, options.threads, *codes], options.data_dir / "spill")


def measure(options):
    sides = {"same": [], "whole": [], "duckdb": [], "pandas": []}
    asked = [word for code in options.codes for word in ("--flag", code)]
    for _ in range(options.runs):
        sides["same"].append(ours(options, options.data_dir, "flags", "run", *asked))
        sides["duckdb"].append(peer(options, "duckdb", options.codes))
        sides["whole"].append(ours(options, options.data_dir, "flags", "run"))
        if not options.no_pandas:
            sides["pandas"].append(peer(options, "pandas", []))
    if not options.no_pandas:
        # What we take for the flags that pandas answered.
        known = [word for code in sides["pandas"][0]["json"]["flags"] for word in ("--flag", code)]
        sides["as_pandas"] = [ours(options, options.data_dir, "flags", "run", *known) for _ in range(options.runs)]
    compare(options, sides)
    return sides


def compare(options, sides):
    """Stops unless both sides found the same subjects."""
    differ = []
    for engine in ("duckdb", "pandas"):
        for code, theirs in (sides[engine][0]["json"]["flags"] if sides[engine] else {}).items():
            held = max((options.data_dir / "outcomes").glob(f"{code}-*.parquet"))
            rows = duckdb.execute("select subject_id from read_parquet(?) where outcome = 'hit'", [str(held)]).fetchall()
            mine, found = {row[0] for row in rows}, set(theirs["ids"])
            if mine != found:
                differ.append(f"{code} {engine}: {len(mine)} ours, {len(found)} theirs; only ours {sorted(mine - found)[:3]}, only theirs {sorted(found - mine)[:3]}")
    if differ:
        raise SystemExit("The sides found other subjects:\n" + "\n".join(differ))


def measure_small(options, work):
    """A small ingest into a copy of the folder: what it takes with judging, and what judging took of it."""
    files = options.small_files
    if not files and not options.small:
        return []
    if not files:
        files = work / "small"
        subprocess.run([options.binary, "sample", "--contracts", str(options.small), "--seed", "77", "--out", files], check=True, capture_output=True)
    runs = []
    for _ in range(options.runs):
        copy = work / "copy"
        # Segments are never written again, so links to them do.
        shutil.copytree(options.data_dir, copy, copy_function=lambda a, b: os.link(a, b) if a.endswith(".parquet") else shutil.copy2(a, b))
        taken = ours(options, copy, "ingest", files)
        judged = taken["json"]["judged"]
        taken["rows"] = taken["json"]["totals"]["kept"]
        taken["judged"] = judged["seconds"] if judged else 0.0
        runs.append(taken)
        shutil.rmtree(copy)
    return runs


def median(runs, key):
    return statistics.median(taken[key] for taken in runs)


def ratio(mine, theirs):
    each = [a["seconds"] / b["seconds"] for a, b in zip(mine, theirs)]
    cpu = statistics.median(a["cpu"] / b["cpu"] for a, b in zip(mine, theirs))
    return f"{statistics.median(each):.2f} (run by run {', '.join(f'{r:.2f}' for r in each)}; of CPU seconds {cpu:.2f})"


def line(what, runs):
    return f"| {what} | {median(runs, 'seconds'):.1f} | {median(runs, 'cpu'):.1f} | {median(runs, 'mib'):.0f} | {median(runs, 'spill'):.0f} |"


def rows_held(data):
    with sqlite3.connect(f"file:{data}/cidadao.db?mode=ro", uri=True) as held:
        return dict(held.execute("select tbl, sum(rows) from segments where valid_to is null group by tbl"))


def flag_seconds(side, code):
    """The median time of one flag: ours by the run over the whole catalogue, theirs by its query."""
    if side and isinstance(side[0]["json"]["flags"], list):
        each = [flag["seconds"] for taken in side for flag in taken["json"]["flags"] if flag["code"] == code]
    else:
        each = [taken["json"]["flags"][code]["seconds"] for taken in side if code in taken["json"]["flags"]]
    return statistics.median(each) if each else None


def report(options, m):
    rows = rows_held(options.data_dir)
    processor = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    loads = statistics.median(taken["json"]["load"] for taken in m["duckdb"])
    flags = {flag["code"]: flag for flag in m["whole"][0]["json"]["flags"]}
    text = [
        f"### {rows['contracts']:,} contracts ({sum(rows.values()):,} rows)",
        "",
        f"{datetime.date.today().isoformat()}, {os.cpu_count()} cores of {processor} (virtual, shared; load {os.getloadavg()[0]:.0f} at the end),"
        f" {'one run' if options.runs == 1 else f'medians of {options.runs} interleaved runs'}, {options.threads} threads each.",
        f"`python3 bench/flags.py --data-dir FOLDER --runs {options.runs} --threads {options.threads}{' --no-pandas' if options.no_pandas else ''} --write`",
        "",
        "| | seconds | CPU s | peak MiB | spilled MiB |",
        "|---|---|---|---|---|",
        line(f"`cidadao flags run --flag …`, the {len(options.codes)} flags that the queries ask: every subject judged, every hit explained, nothing stored", m["same"]),
        line(f"DuckDB {duckdb.__version__} (Python), {len(options.codes)} queries by hand: ids of the hits ({loads:.1f} s of it reading the columns into memory)", m["duckdb"]),
    ]
    if m["pandas"]:
        codes = list(m["pandas"][0]["json"]["flags"])
        load = statistics.median(taken["json"]["load"] for taken in m["pandas"])
        text += [
            line(f"`cidadao flags run --flag …`, the {len(codes)} flags that pandas asks", m["as_pandas"]),
            line(f"pandas, {len(codes)} questions by hand: ids of the hits ({load:.1f} s of it reading)", m["pandas"]),
        ]
    text.append(line(f"`cidadao flags run`, the whole catalogue ({len(flags)} flags), stored", m["whole"]))
    if m["small"]:
        small = m["small"]
        judged = median(small, "judged")
        text.append(line(f"`cidadao ingest` of {small[0]['rows']:,} rows into a copy of the folder, {judged:.1f} s of it judging what they touch", small))
    text += ["", f"Ratio of times, ours / theirs: DuckDB {ratio(m['same'], m['duckdb'])}" + (f"; pandas {ratio(m['as_pandas'], m['pandas'])}" if m["pandas"] else "") + "."]
    if m["small"]:
        text[-1] += f" After the small ingest, judging takes {median(m['small'], 'judged') / median(m['duckdb'], 'seconds'):.2f} of what asking everything anew by hand takes."
    text += [
        "",
        "| flag | hits, ours | hits, DuckDB | hits, pandas | ours s | DuckDB s | pandas s |",
        "|---|---|---|---|---|---|---|",
    ]
    seconds = lambda side, code: "–" if (taken := flag_seconds(side, code)) is None else f"{taken:.2f}"
    hits = lambda side, code: f"{len(side[0]['json']['flags'][code]['ids']):,}" if side and code in side[0]["json"]["flags"] else "–"
    for code, flag in flags.items():
        text.append(f"| {code} | {flag['hits']:,} | {hits(m['duckdb'], code)} | {hits(m['pandas'], code)} | {seconds(m['whole'], code)} | {seconds(m['duckdb'], code)} | {seconds(m['pandas'], code)} |")
    text += ["", "Where a peer has a number of hits, they are the same subjects as ours, compared one by one.", ""]
    return "\n".join(text)


ABOUT = """
What an analyst would write instead of us: one query per flag over the same Parquet files (`bench/flags_sql.py`), for the ids of the hits
only, and some of them in pandas (`bench/flags_pandas.py`). The peer first reads the columns it needs into memory and may use as much of it as
it likes. We judge every subject as hit, clear or not computable with the field that is missing, explain each hit (evidence, peers, law,
counterfactual), and keep within the memory limit of the settings. Times of single flags are ours from the whole catalogue, theirs without the reading.
"""


def write(text):
    """Puts the results in the place of those of as many contracts, or adds them."""
    path = ROOT / "docs" / "benchmarks.md"
    held = path.read_text()
    section = section_of(held)
    heading = text.split(" contracts (")[0]
    about, *sizes = re.split(r"^(?=### )", section or f"{JUDGING}\n{ABOUT}\n", flags=re.M)
    sizes = [size.rstrip() + "\n\n" for size in sizes if not size.startswith(heading + " contracts")] + [text.rstrip() + "\n\n"]
    sizes.sort(key=lambda size: int(re.sub(r"\D", "", size.split(" contracts")[0])))
    new = about + "".join(sizes)
    path.write_text((held.replace(section, new) if section else held.rstrip() + "\n\n" + new).rstrip() + "\n")


if __name__ == "__main__":
    main()
