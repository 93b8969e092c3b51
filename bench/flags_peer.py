"""Answers the questions of the catalogue by hand-written DuckDB or pandas, and prints what came out as JSON: for each flag its hits
and seconds, and what reading the records took. `flags.py` runs it as a process of its own, so that its memory can be told."""

import json
import sys
import time


def main():
    engine, data, threads, *codes = sys.argv[1:]
    started = time.monotonic()
    if engine == "duckdb":
        import flags_data
        from flags_sql import QUERIES

        db = flags_data.connect(data, int(threads))
        ask = {code: lambda sql=sql: [row[0] for row in db.execute(sql).fetchall()] for code, sql in QUERIES.items()}
    else:
        import flags_pandas

        ask = flags_pandas.questions(data, int(threads))
    report = {"load": time.monotonic() - started, "flags": {}}
    for code in codes or ask:
        begun = time.monotonic()
        ids = sorted(ask[code]())
        report["flags"][code] = {"seconds": time.monotonic() - begun, "ids": ids}
    report["seconds"] = time.monotonic() - started
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
