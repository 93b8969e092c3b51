"""FastAPI with orjson over the same documents: `uvicorn peer:app`. DOCUMENTS names a folder with list.json and detail.json."""

import os
import pathlib

import orjson
from fastapi import FastAPI, Response

folder = pathlib.Path(os.environ["DOCUMENTS"])
documents = {name: orjson.loads((folder / f"{name}.json").read_bytes()) for name in ("list", "detail")}
app = FastAPI()


@app.get("/list")
async def listed() -> Response:
    return Response(orjson.dumps(documents["list"]), media_type="application/json")


@app.get("/detail")
async def detail() -> Response:
    return Response(orjson.dumps(documents["detail"]), media_type="application/json")
