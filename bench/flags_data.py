"""What the peers of `flags.py` read: the records of a data folder, and the dated limits of the law.

The records are the live Parquet files that our program wrote, so both sides judge the same rows. Limits come from
`crates/model/law`; what a buyer's name says of its form comes from the statement that ours uses.
"""

import datetime
import math
import pathlib
import sqlite3
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAW = ROOT / "crates" / "model" / "law"
FOREVER = datetime.date(9999, 12, 31)

# The columns that the questions read: an analyst takes no more of each table.
COLUMNS = {
    "contracts": "id source number object modality legal_basis regime buyer_id supplier_id supplier_root signed_on published_on"
    " starts_on ends_on value_initial value_final income currency tender_id activity",
    "tenders": "id source modality legal_basis regime buyer_id published_on opened_on closes_on result_on value_estimated"
    " value_awarded bidders criterion currency activity object",
    "items": "id source contract_id tender_id category catalog_code unit unit_price currency supplier_id",
    "bids": "id source tender_id lot item_number bidder_id bidder_root bidder_name won valid value quantity unit_price currency",
    "amendments": "id contract_id kind nature object value currency",
    "payments": "id source kind buyer_id contract_id tender_id issued_on value modality_as_stated currency",
    "sanctions": "id file_id kind kind_as_stated bars_contracting supplier_id supplier_root starts_on ends_on body_key body_sphere"
    " body_state scope_min scope_max listed_on",
    "buyers": "id name parent_name superior_code superior_name sphere state municipality",
    "registrations": "id scope cnpj cnpj_root status status_on opened_on head_office size capital mei_from mei_until main_activity"
    " other_activities updated_at",
}


def segments(data):
    """The live Parquet files of a data folder, by table."""
    files = {}
    with sqlite3.connect(f"file:{data}/cidadao.db?mode=ro", uri=True) as held:
        for table, path in held.execute("select tbl, path from segments where valid_to is null order by path"):
            files.setdefault(table, []).append(f"{data}/lake/{path}")
    missing = [table for table in COLUMNS if table not in files]
    if missing:
        raise SystemExit(f"{data} has no rows of {', '.join(missing)}: ingest a sample that has cases for every flag")
    return files


def law(name, key):
    """The rows of one kind in a file of the law, with both ends of their term as days."""
    rows = tomllib.loads((LAW / f"{name}.toml").read_text())[key]
    for row in rows:
        row["from"] = datetime.date.fromisoformat(row["from"])
        row["to"] = datetime.date.fromisoformat(row["to"]) if "to" in row else FOREVER
    return rows


def easter(year):
    """Easter Sunday, by the rule of the Gregorian calendar."""
    golden, century = year % 19, year // 100
    epact = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    moon = epact - (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    month = 3 + (moon - weekday + 40) // 44
    return datetime.date(year, month, moon - weekday + 28 - 31 * (month // 4))


def holidays():
    """National holidays of the years that matter."""
    days = set()
    for row in tomllib.loads((LAW / "holidays.toml").read_text())["holiday"]:
        for year in range(max(2003, row.get("from_year", 0)), 2061):
            if "easter" in row:
                days.add(easter(year) + datetime.timedelta(days=row["easter"]))
            else:
                days.add(datetime.date.fromisoformat(f"{year}-{row['day']}"))
    return sorted(days)


def connect(data, threads):
    """A DuckDB connection that holds the columns in memory, as one who has many questions would."""
    import duckdb

    db = duckdb.connect()
    db.execute(f"set threads = {threads}; set enable_progress_bar = false; set preserve_insertion_order = false")
    for table, files in segments(data).items():
        if table in COLUMNS:
            names = COLUMNS[table].replace(" ", ", ")
            db.execute(f"create table {table} as select {names} from read_parquet({files}, union_by_name = true)")
    db.execute("create macro fold(t) as trim(regexp_replace(lower(strip_accents(coalesce(t, ''))), '[^a-z0-9]+', ' ', 'g'))")
    db.execute("create macro bidder_of(root, id) as coalesce(root, case when id like 'cnpj:%' then substr(id, 6, 8) end, id)")
    db.execute(
        "create macro shingles(t) as list_distinct(list_transform(range(1, greatest(length(t) - 3, 2)), lambda i: substr(t, i, 5)))"
    )
    db.execute("create macro jaccard(a, b) as len(list_intersect(a, b)) / (len(a) + len(b) - len(list_intersect(a, b)))")
    db.execute("create table buyer_forms as " + (ROOT / "crates/flags/src/buyer_forms.sql").read_text())
    hold_law(db)
    return db


def hold_law(db):
    def table(name, columns, rows):
        db.execute(f"create table {name} ({columns})")
        db.executemany(f"insert into {name} values ({', '.join('?' * len(rows[0]))})", rows)

    term = "from_on date, until_on date"
    table(
        "waiver_limits",
        f"regime varchar, kind varchar, {term}, amount decimal(18, 4), inclusive bool, doubles bool",
        [
            (w["regime"], kind, w["from"], w["to"], w["value"], w["comparison"] == "<=", bool(w["doubled_for"]))
            for w in law("waivers", "waiver")
            for kind in w["kinds"]
        ],
    )
    table(
        "vehicle_repair_limits",
        f"regime varchar, {term}, amount decimal(18, 4)",
        [(r["regime"], r["from"], r["to"], r["value"]) for r in law("vehicle_repairs", "repair")],
    )
    table(
        "amendment_shares",
        f"regime varchar, change varchar, {term}, share decimal(18, 4)",
        [(s["regime"], s["change"], s["from"], s["to"], s["share"]) for s in law("amendments", "share")],
    )
    table(
        "general_laws", "regime varchar, from_on date", [(r["code"], r["from"]) for r in law("regimes", "regime") if r["general"]]
    )
    table(
        "proposal_windows",
        f"regime varchar, kind varchar, {term}, days int, days_sus int",
        [
            (w["regime"], w["kind"], w["from"], w["to"], w["business_days"], math.ceil(w["business_days"] * float(w["sus_share"])))
            for w in law("windows", "window")
        ],
    )
    table(
        "publication_deadlines",
        f"regime varchar, procedure varchar, {term}, days int",
        [(d["regime"], d["procedure"], d["from"], d["to"], d["business_days"]) for d in law("publication", "deadline")],
    )
    table("publication_exemptions", term, [(x["from"], x["to"]) for x in law("publication", "exemption")])
    table(
        "revenue_limits",
        f"size varchar, {term}, amount decimal(18, 4)",
        [(c["size"].upper(), c["from"], c["to"], c["revenue"]) for c in law("companies", "limit")],
    )
    table("holidays", "on_day date", [(day,) for day in holidays()])
    db.execute(
        "create table business_days as select on_day, sum(case when isodow(on_day) < 6 and on_day not in (from holidays) then 1 else 0 end)"
        " over (order by on_day) as ordinal"
        " from (select unnest(generate_series(date '2003-01-01', date '2060-12-31', interval 1 day))::date as on_day)"
    )
