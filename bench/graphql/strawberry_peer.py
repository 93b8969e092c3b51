"""Strawberry on FastAPI with dataloaders over the schema `peer` of DATABASE_URL: `uvicorn strawberry_peer:app`."""

import os
from collections import defaultdict
from contextlib import asynccontextmanager

import asyncpg
import strawberry
from fastapi import FastAPI
from strawberry.dataloader import DataLoader
from strawberry.fastapi import GraphQLRouter

pool = None


@strawberry.type
class Title:
    pt: str | None


@strawberry.type
class Finding:
    id: str
    flag: str
    severity: str
    title: Title


@strawberry.type
class Supplier:
    id: str
    name: str | None

    @strawberry.field
    async def findings(self, info: strawberry.Info, first: int) -> list[Finding]:
        return await info.context["findings"].load((self.id, first))


@strawberry.type
class Contract:
    id: str
    object: str | None
    value_final: str | None
    signed_on: str | None
    supplier_id: strawberry.Private[str | None]

    @strawberry.field
    async def supplier(self, info: strawberry.Info) -> Supplier | None:
        return await info.context["suppliers"].load(self.supplier_id) if self.supplier_id else None


@strawberry.type
class Buyer:
    id: str
    name: str | None

    @strawberry.field
    async def contracts(self, info: strawberry.Info, first: int) -> list[Contract]:
        return await info.context["contracts"].load((self.id, first))


@strawberry.type
class Query:
    @strawberry.field
    async def buyers(self, first: int) -> list[Buyer]:
        rows = await pool.fetch("select id, name from peer.buyers order by name, rid limit $1", first)
        return [Buyer(id=row["id"], name=row["name"]) for row in rows]


def of_each(table, columns, key, order, make):
    """The first so many rows of each of several owners, in one statement."""
    sql = f"""select k, {columns} from (select {key} as k, {columns}, row_number() over (partition by {key} order by {order}) as place
        from peer.{table} where {key} = any($1)) ranked where place <= $2 order by place"""

    async def load(keys):
        found = defaultdict(list)
        for row in await pool.fetch(sql, [owner for owner, _ in keys], keys[0][1]):
            found[row["k"]].append(make(row))
        return [found[owner] for owner, _ in keys]

    return load


async def load_suppliers(ids):
    rows = await pool.fetch("select id, name from peer.suppliers where id = any($1)", ids)
    found = {row["id"]: Supplier(id=row["id"], name=row["name"]) for row in rows}
    return [found.get(id) for id in ids]


load_contracts = of_each(
    "contracts", "id, object, value_final, signed_on, supplier_id", "buyer_id", "signed_on desc, rid desc", lambda row: Contract(**{k: row[k] for k in ("id", "object", "value_final", "signed_on", "supplier_id")})
)
load_findings = of_each(
    "findings", "id, flag, severity, title_pt", "supplier_id", "gravity desc, rid desc", lambda row: Finding(id=row["id"], flag=row["flag"], severity=row["severity"], title=Title(pt=row["title_pt"]))
)


async def context():
    return {"suppliers": DataLoader(load_suppliers), "contracts": DataLoader(load_contracts), "findings": DataLoader(load_findings)}


@asynccontextmanager
async def lifespan(_):
    global pool
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=10)
    yield
    await pool.close()


app = FastAPI(lifespan=lifespan)
app.include_router(GraphQLRouter(strawberry.Schema(Query), context_getter=context), prefix="/graphql")
