"""Some of the questions in pandas: those that an analyst would ask there, as in `flags_sql.py`."""

import numpy as np
import pandas

import flags_data

COMPETITIVE = ["pregao", "concorrencia", "tomada_de_precos", "convite", "concurso", "rdc", "dialogo_competitivo"]
TABLES = {"contracts", "tenders", "items", "bids", "buyers", "registrations"}
DAY = np.timedelta64(1, "D")


def read(data, threads):
    """The tables as data frames; amounts are floats, as pandas counts with them."""
    import pyarrow
    import pyarrow.compute
    import pyarrow.parquet

    pyarrow.set_cpu_count(threads)
    frames = {}
    for table, files in flags_data.segments(data).items():
        if table not in TABLES:
            continue
        held = pyarrow.parquet.read_table(files, columns=flags_data.COLUMNS[table].split())
        for at, field in enumerate(held.schema):
            if pyarrow.types.is_decimal(field.type):
                held = held.set_column(at, field.name, held.column(at).cast(pyarrow.float64()))
        frames[table] = held.to_pandas(date_as_object=False)
    contracts = frames["contracts"]
    contracts["value"] = contracts.value_initial.fillna(contracts.value_final)
    frames["spending"] = contracts[(contracts.income == False) & (contracts.currency.fillna("BRL") == "BRL")]  # noqa: E712
    tenders = frames["tenders"]
    frames["tenders"] = tenders[tenders.currency.fillna("BRL") == "BRL"]
    return frames


def questions(data, threads):
    f = read(data, threads)
    asked = {"BR05": prices, "BR06": single_bidder, "BR08": young, "BR09": irregular, "BR10": at_the_estimate}
    asked |= {"BR11": concentration, "BR12": direct_awards, "BR16": pairs, "BR23": late, "BR28": hasty}
    return {code: lambda answer=answer: list(answer(f)) for code, answer in asked.items()}


def mad(values):
    return (values - values.median()).abs().median()


def quartiles(groups):
    """Count, median, quartiles and median absolute deviation of each group."""
    crowd = groups.agg(["count", "median"])
    crowd["q1"], crowd["q3"] = groups.quantile(0.25), groups.quantile(0.75)
    crowd["mad"] = groups.agg(mad)
    return crowd


def beyond(x, c):
    """Whether values lie above the usual distance from the median of their crowd."""
    by_mad = (0.6745 * (x - c["median"]) / c["mad"]).round(4) > 3.5
    by_fence = ((x - c.q3) / (c.q3 - c.q1)).round(4) > 1.5
    return np.where(c["mad"] > 0, by_mad, (c.q3 > c.q1) & by_fence)


def prices(f):
    contracts = f["contracts"][["id", "buyer_id", "signed_on", "income"]].rename(columns={"id": "contract_id"})
    states = f["buyers"][["id", "state"]].rename(columns={"id": "buyer_id"})
    items = f["items"][(f["items"].unit_price > 0) & (f["items"].currency.fillna("BRL") == "BRL")]
    priced = items.merge(contracts, on="contract_id").merge(states, on="buyer_id")
    priced = priced[priced.income == False].dropna(subset=["catalog_code", "unit", "state", "signed_on"])  # noqa: E712
    priced = priced.assign(x=np.log(priced.unit_price), y=priced.signed_on.dt.year, g=priced.catalog_code + "|" + priced.unit + "|" + priced.state)
    years = priced.groupby(["g", "y"]).size().rename("n").reset_index()
    few = years[years.n < 10]
    before = few.merge(priced[["g", "y", "x"]].assign(y=priced.y + 1), on=["g", "y"])
    peers = pandas.concat([priced[["g", "y", "x"]], before[["g", "y", "x"]]])
    # Deviations are dear in pandas, so windows that are too small are left out first.
    peers = peers[peers.groupby(["g", "y"]).x.transform("size") >= 10]
    crowd = quartiles(peers.groupby(["g", "y"]).x).reset_index()
    known = priced[["id", "g", "y", "x"]].merge(crowd, on=["g", "y"])
    return known[beyond(known.x, known)].id


def single_bidder(f):
    bids = f["bids"][f["bids"].source.isin(["portal-licitacoes", "portal-api", "licitacon-rs"])]
    who = bids.bidder_root.fillna(bids.bidder_id).fillna(bids.bidder_name)
    listed = who.groupby(bids.tender_id).nunique()
    tenders = f["tenders"][f["tenders"].modality.isin(COMPETITIVE)]
    return tenders[tenders.bidders.fillna(tenders.id.map(listed)) == 1].id


def young(f):
    held = f["registrations"][f["registrations"].scope == "establishment"]
    opened = held.groupby("cnpj_root").opened_on.min()
    known = held[held.head_office.eq(True) & held.opened_on.notna()].cnpj_root.unique()
    spending = f["spending"][f["spending"].supplier_root.isin(known)]
    age = (spending.signed_on - spending.supplier_root.map(opened)) / DAY
    return spending[(age >= 0) & (age < 180)].id


def irregular(f):
    held = f["registrations"][(f["registrations"].scope == "establishment") & f["registrations"].cnpj.notna()]
    held = held.sort_values(["updated_at", "id"], ascending=[False, True], na_position="last").drop_duplicates("cnpj")
    bad = held[held.status.notna() & (held.status != "active")]
    since = ("cnpj:" + bad.cnpj).pipe(lambda ids: bad.set_index(ids).status_on)
    spending = f["spending"][f["spending"].supplier_root.notna()]
    return spending[spending.supplier_id.map(since) < spending.signed_on].id


def at_the_estimate(f):
    t = f["tenders"]
    t = t[(t.regime == "lei_14133") & t.modality.isin(["pregao", "concorrencia", "concurso", "dialogo_competitivo"])]
    t = t[(t.value_estimated > 0) & (t.value_awarded > 0)]
    t = t[~t.criterion.fillna("").str.lower().str.contains("maior (?:lance|oferta|retorno|valor)")]
    # The body may be paid.
    said = " " + t.object.fillna("").str.normalize("NFKD").str.encode("ascii", "ignore").str.decode("ascii").str.lower().str.replace("[^a-z0-9]+", " ", regex=True).str.strip() + " "
    paid = r" (?:concess(?:ao|oes)|permiss(?:ao|oes)|cess(?:ao|oes) (?:onerosas? )?d[eoa] (?:direito de )?(?:uso d[eoa] )?(?:espacos?|areas?|imove(?:l|is))|alienac(?:ao|oes)|folhas? de pagamentos?) "
    t = t[~said.str.contains(paid)]
    # Amounts have four decimals: floats differ from them beyond the ninth.
    return t[((t.value_estimated - t.value_awarded) / t.value_estimated).round(9) <= 0.005].id


def concentration(f):
    s = f["spending"]
    s = s[(s.value > 0) & s.buyer_id.notna() & s.activity.notna() & s.signed_on.notna()]
    s = s.assign(y=s.signed_on.dt.year.astype(int), supplier=s.supplier_root.fillna(s.supplier_id))
    groups = s.groupby(["buyer_id", "y", "activity"])
    totals = groups.value.agg(["size", "sum"])
    # What a supplier won in one tender, under one number, or on one day for one value is one award.
    s = s.assign(
        entry=s.tender_id.fillna(s.signed_on.astype(str) + "|" + s.value.astype(str)),
        number=s.number.where(s.tender_id.isna() & s.number.str.contains("[1-9]", na=False)).str.lower().str.replace("[^a-z0-9]+", "", regex=True).str.lstrip("0"),
    )
    group = ["buyer_id", "y", "activity", "supplier"]
    entries = s.groupby([*group, "entry"]).agg(value=("value", "sum"), number=("number", "max")).reset_index()
    awards = entries.assign(award=entries.number.fillna(entries.entry)).groupby([*group, "award"]).value.sum().reset_index()
    awards["squares"] = awards.value**2
    named = awards.groupby(group)[["value", "squares"]].sum().reset_index()
    named["square"] = named.value**2
    named["top"] = named.value
    named = named.groupby(["buyer_id", "y", "activity"]).agg({"value": "sum", "square": "sum", "squares": "sum", "top": "max"})
    totals = totals.join(named)
    hits = totals[
        (totals["size"] >= 10)
        & (totals["sum"] - totals.value <= 0.05 * totals["sum"])
        & ((10_000 * totals.square / totals.value**2).round(2) > 2500)
        & (totals.top > 0.6 * totals.value)
        & ((10_000 * totals.squares / totals.value**2).round(2) <= 2500)
    ]
    return (f"{buyer}|{y}|{activity}" for buyer, y, activity in hits.index)


def direct_awards(f):
    s = f["spending"]
    s = s[(s.value > 0) & s.signed_on.notna()].merge(f["buyers"][["id", "sphere"]].rename(columns={"id": "buyer_id"}), on="buyer_id")
    s = s[s.sphere.notna()]
    s = s.assign(
        y=s.signed_on.dt.year.astype(int),
        direct=s.value.where(s.modality.isin(["dispensa", "inexigibilidade"]), 0),
        unknown=s.value.where(s.modality.isna(), 0),
    )
    t = s.groupby(["source", "buyer_id", "sphere", "y"]).agg(n=("value", "size"), total=("value", "sum"), direct=("direct", "sum"), unknown=("unknown", "sum"))
    t = t[(t.n >= 10) & (t.unknown <= 0.05 * t.total)].reset_index()
    t = t.assign(share=(t.direct / t.total).round(6), size=np.floor(np.log10(t.total)))
    groups = t.groupby(["source", "sphere", "y", "size"]).share
    crowd = quartiles(groups).assign(high=groups.quantile(0.95))
    t = t.merge(crowd.reset_index(), on=["source", "sphere", "y", "size"])
    t = t[(t["count"] >= 10) & (t.share > t.high) & ((t.share - t["median"]).round(6) >= 0.25) & beyond(t.share, t)]
    return t.buyer_id + "|" + t.y.astype(str) + "|" + t.source


def pairs(f):
    tenders = f["tenders"].merge(f["buyers"][["id", "state"]].rename(columns={"id": "buyer_id"}), on="buyer_id")
    tenders = tenders[~tenders.modality.fillna("").isin(["dispensa", "inexigibilidade", "credenciamento", "leilao"])]
    tenders = tenders.assign(market=tenders.activity + "|" + tenders.state)[["id", "market"]].rename(columns={"id": "tender_id"})
    bids = f["bids"].merge(tenders.dropna(), on="tender_id")
    ours = bids.bidder_id.where(~bids.bidder_id.fillna("").str.startswith("cnpj:"), bids.bidder_id.str[5:13])
    bids = bids.assign(bidder=bids.bidder_root.fillna(ours), lot=bids.lot.fillna("") + "|" + bids.item_number.fillna(""))
    bids = bids.assign(won=bids.won.eq(True), lost=bids.won.eq(False), decided=bids.won.notna())
    offers = bids.groupby(["tender_id", "lot", "bidder", "market"])[["won", "lost", "decided"]].any().reset_index()
    offers["lost"] &= ~offers.won
    contested = offers.groupby("tender_id").agg(bidders=("bidder", "nunique"), lost=("lost", "any"))
    known = offers[offers.tender_id.isin(contested[(contested.bidders > 1) & contested.lost].index)]
    sizes = known.groupby(["market", "bidder"]).tender_id.nunique()
    markets = known.groupby("market").tender_id.nunique()
    met = known.merge(known, on=["tender_id", "lot", "market"], suffixes=("", "_other"))
    met = met[met.bidder < met.bidder_other]
    met["decided"] &= met.decided_other
    met = met.groupby(["market", "bidder", "bidder_other", "tender_id"]).agg(one=("won", "any"), other=("won_other", "any"), decided=("decided", "all"))
    met = met.assign(one_wins=met.decided & met.one & ~met.other, other_wins=met.decided & met.other & ~met.one)
    p = met.groupby(["market", "bidder", "bidder_other"]).agg(joint=("one", "size"), one_wins=("one_wins", "sum"), other_wins=("other_wins", "sum"))
    p = p[p.joint >= 5].reset_index()
    if p.empty:
        return []
    a = sizes.reindex(p[["market", "bidder"]].apply(tuple, axis=1)).to_numpy()
    b = sizes.reindex(p[["market", "bidder_other"]].apply(tuple, axis=1)).to_numpy()
    together = ((p.joint / (a + b - p.joint)).round(6) >= 0.5) & ((p.joint * p.market.map(markets) / (a * b)).round(6) > 2)
    p = p[together & (p[["one_wins", "other_wins"]].max(axis=1) >= 0.8 * p.joint)]
    return p.bidder + "|" + p.bidder_other + "|" + p.market


def late(f):
    s = f["spending"]
    s = s[(s.source == "pncp") & s.signed_on.notna() & s.published_on.notna()]
    s = s.merge(f["buyers"][["id", "sphere"]].rename(columns={"id": "buyer_id"}), on="buyer_id")
    tenders = f["tenders"].set_index("id")
    law = s.regime.fillna(s.tender_id.map(tenders.regime))
    way = s.modality.fillna(s.tender_id.map(tenders.modality))
    days = {row["procedure"]: row for row in flags_data.law("publication", "deadline")}
    (exempt,) = flags_data.law("publication", "exemption")
    signed, published = (s[name].to_numpy().astype("datetime64[D]") for name in ("signed_on", "published_on"))
    # The first day is left out, the last one counted.
    passed = np.busday_count(signed + DAY, published + DAY, holidays=flags_data.holidays())
    most = np.where(way.isin(["dispensa", "inexigibilidade"]), days["direct_award"]["business_days"], days["tender"]["business_days"])
    in_force = (signed >= np.datetime64(days["tender"]["from"])) & (signed <= np.datetime64(days["tender"]["to"]))
    let_off = (s.sphere == "M") & (signed >= np.datetime64(exempt["from"])) & (signed <= np.datetime64(exempt["to"]))
    return s[(law == "lei_14133") & s.sphere.notna() & in_force & ~let_off & (passed > most + 3)].id


def hasty(f):
    t = f["tenders"][f["tenders"].modality.isin(COMPETITIVE)]
    days = (t.result_on - t.closes_on.fillna(t.opened_on)) / DAY
    return t[(days > 120) | ((days >= 0) & (days <= 5) & (t.modality != "pregao"))].id
