"""Reads sketches of ours and writes its own of the same rows: exchange.py REQUESTS.json

Each request has a kind, a size, rows, and the bytes that ours has written of them; each answer has
what DataSketches says of those bytes, and the bytes and facts of its own sketch of the rows.
"""

import base64
import json
import pathlib
import sys

import datasketches

SHARES = [0.01, 0.25, 0.5, 0.9, 0.99]


def kll_facts(sketch):
    quantiles = []
    if not sketch.is_empty():
        quantiles = [sketch.get_quantile(q, True) for q in SHARES]
        quantiles = [sketch.get_min_value(), *quantiles, sketch.get_max_value()]
    return {"count": sketch.n, "retained": sketch.num_retained, "quantiles": quantiles}


def frequent_facts(sketch):
    rows = sketch.get_frequent_items(datasketches.frequent_items_error_type.NO_FALSE_NEGATIVES)
    possible = {row[0]: [row[2], row[3]] for row in rows}
    return {"count": sketch.total_weight, "size": sketch.num_active_items, "possible": possible}


def hll_facts(sketch):
    return {"estimate": sketch.get_estimate()}


KINDS = {
    "kll": (
        datasketches.kll_doubles_sketch,
        lambda sketch: sketch.serialize(),
        kll_facts,
    ),
    "frequent": (
        lambda size: datasketches.frequent_strings_sketch(size.bit_length() - 1),
        lambda sketch: sketch.serialize(),
        frequent_facts,
    ),
    "hll4": (
        lambda lg_k: datasketches.hll_sketch(lg_k, datasketches.HLL_4),
        lambda sketch: sketch.serialize_compact(),
        hll_facts,
    ),
    "hll6": (
        lambda lg_k: datasketches.hll_sketch(lg_k, datasketches.HLL_6),
        lambda sketch: sketch.serialize_updatable(),
        hll_facts,
    ),
    "hll8": (
        lambda lg_k: datasketches.hll_sketch(lg_k, datasketches.HLL_8),
        lambda sketch: sketch.serialize_compact(),
        hll_facts,
    ),
}
CLASSES = {
    "kll": datasketches.kll_doubles_sketch,
    "frequent": datasketches.frequent_strings_sketch,
    "hll4": datasketches.hll_sketch,
    "hll6": datasketches.hll_sketch,
    "hll8": datasketches.hll_sketch,
}


def answer(request):
    create, serialise, facts = KINDS[request["kind"]]
    ours = CLASSES[request["kind"]].deserialize(base64.b64decode(request["bytes"]))
    theirs = create(request["size"])
    for row in request["rows"]:
        theirs.update(row)
    return {
        "ours": facts(ours),
        "theirs": facts(theirs),
        "bytes": base64.b64encode(serialise(theirs)).decode(),
    }


if __name__ == "__main__":
    requests = json.loads(pathlib.Path(sys.argv[1]).read_text())
    print(json.dumps([answer(request) for request in requests]))
