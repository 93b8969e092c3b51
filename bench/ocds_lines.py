"""Writes OCDS releases as JSON Lines: fictitious, the same bytes for the same arguments, about 1.3 kB each.

Each release has a tender with one or two items, three bids, one award and one contract, as a Brazilian publisher with the
lots and bids extensions would write it. The numbers of the companies have right check digits and belong to nobody on
purpose. Used to measure the reader of OCDS beside `ocdscardinal`; see docs/sources.md.

    python3 bench/ocds_lines.py 300000 > releases.jsonl
"""

import json
import random
import sys

OBJECTS = ["Papel A4", "Café em pó", "Manutenção predial", "Merenda escolar", "Locação de veículos", "Software de gestão"]


def cnpj(base):
    """The CNPJ whose first twelve digits are `base`."""
    digits = [int(d) for d in f"{base:012d}"]
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = sum(d * w for d, w in zip(digits, weights)) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    return "".join(map(str, digits))


def company(number):
    return cnpj(90_000_000_0001 + number * 10_000)


def value(cents):
    return {"amount": cents / 100, "currency": "BRL"}


def release(number, rng):
    ocid = f"ocds-zz0000-{number:08d}"
    month, day = 1 + number % 12, 1 + number % 28
    firms = rng.sample(range(50_000), 3)
    estimate = rng.randrange(1_000_000, 90_000_000)
    offers = sorted(int(estimate * rng.uniform(0.7, 1.1)) for _ in firms)
    what = OBJECTS[number % len(OBJECTS)]
    bidders = [{"id": f"BR-CNPJ-{company(firm)}", "name": f"Fictícia {firm} Ltda"} for firm in firms]
    items = [
        {"id": str(at), "description": what, "quantity": 10 * at, "unit": {"name": "un", "value": value(estimate // 30)}}
        for at in range(1, 2 + number % 2)
    ]
    bids = [
        {"id": str(at), "date": f"2025-{month:02d}-{day:02d}", "status": "valid", "tenderers": [bidder], "value": value(offer)}
        for at, (bidder, offer) in enumerate(zip(bidders, offers), 1)
    ]
    return {
        "ocid": ocid,
        "id": f"{ocid}-1",
        "date": f"2025-{month:02d}-{day:02d}T12:00:00-03:00",
        "tag": ["award"],
        "buyer": {"id": f"BR-CNPJ-{company(60_000 + number % 500)}", "name": f"Prefeitura de Exemplo {number % 500}"},
        "tender": {
            "id": f"{number}/2025",
            "title": what,
            "status": "complete",
            "procurementMethod": "open",
            "procurementMethodDetails": "Pregão eletrônico",
            "value": value(estimate),
            "numberOfTenderers": 3,
            "items": items,
        },
        "bids": {"details": bids},
        "awards": [{"id": "1", "date": f"2025-{month:02d}-{day:02d}", "status": "active", "value": value(offers[0]), "suppliers": bidders[:1]}],
        "contracts": [{"id": "1", "awardID": "1", "status": "active", "value": value(offers[0]), "dateSigned": f"2025-{month:02d}-{day:02d}"}],
    }


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    rng = random.Random(1)
    for number in range(count):
        sys.stdout.write(json.dumps(release(number, rng), ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
