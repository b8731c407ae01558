"""The JSON schema of pack files, for editors: the model's own, with the short forms that loading spreads out."""

from __future__ import annotations

from typing import Any

from engine.policy.model import Policy

_MADE_BY_LOADING = {"Group": ("who", "graded_within"), "Score": ("groups",)}


def pack_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a pack as it is written."""
    schema = Policy.model_json_schema()
    parts = schema["$defs"]
    for name, keys in _MADE_BY_LOADING.items():
        parts[name]["required"] = [k for k in parts[name]["required"] if k not in keys]
        if not parts[name]["required"]:
            del parts[name]["required"]
    group, item = parts["Group"]["properties"], parts["Item"]["properties"]
    # said once for all groups; `items` alone is one group called `all`
    parts["Score"]["properties"] |= {k: group[k] for k in ("graded_within", "shares", "small_groups", "items")}
    parts["Score"]["properties"]["form"] = item["form"]
    parts["Score"]["oneOf"] = [{"required": ["groups"]}, {"required": ["items"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
