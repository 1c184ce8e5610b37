# SPDX-License-Identifier: Apache-2.0
"""Requests as the contract's own examples make them."""
import json


def required_query(operation):
    """The query that it cannot do without, from the contract's examples."""
    pairs = []
    for parameter in operation.where("query"):
        if parameter.get("required"):
            schema = operation.contract.resolve(parameter["schema"])
            value = parameter.get("example", schema.get("example", schema.get("default", (schema.get("enum") or schema.get("examples") or [1])[0])))
            pairs.append(f"{parameter['name']}={value}")
    return ("?" + "&".join(pairs)) if pairs else ""


def sample_body(operation):
    """An example of a body, for requests that must fail for another reason."""
    content = operation.contract.resolve(operation.spec.get("requestBody", {})).get("content", {})
    for media_type, media in content.items():
        if media_type.endswith("json"):
            schema = operation.contract.resolve(media.get("schema", {}))
            example = media.get("example", schema.get("example", (schema.get("examples") or [{}])[0]))
            if "examples" in media:
                example = operation.contract.resolve(next(iter(media["examples"].values())))["value"]
            return media_type, json.dumps(example).encode()
    return (next(iter(content)), b"") if content else (None, None)


def headers(operation):
    """Those that it cannot do without, for a request with sample_body."""
    media_type, _ = sample_body(operation)
    sent = {"Content-Type": media_type} if media_type else {}
    if any(p["name"] == "If-Match" for p in operation.where("header")):
        sent["If-Match"] = "*"
    return sent
