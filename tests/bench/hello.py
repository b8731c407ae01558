"""FastAPI's own hello world: the mark of what a request costs here."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    """The smallest answer."""
    return {"hello": "world"}
