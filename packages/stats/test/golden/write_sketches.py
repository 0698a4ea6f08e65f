"""Writes the sketches of DataSketches that the tests read, and has DataSketches read ours.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r requirements.txt
    /tmp/golden/bin/python write_sketches.py           # writes frequent-items.json and hll.json
    /tmp/golden/bin/python write_sketches.py check     # reads sketches-ours.json, which vitest -u wrote

Everything is deterministic: the inputs are closed forms, and neither sketch draws at random.
"""

import base64
import json
import pathlib
import sys

import datasketches

HERE = pathlib.Path(__file__).parent

FREQUENT_CASES = [("empty", 3, 0), ("one", 5, 1), ("exact", 8, 2_000), ("purged", 5, 20_000)]
HLL_CASES = [
    ("empty", 12, 0),
    ("list", 12, 5),
    ("set", 12, 200),
    ("set at its largest", 12, 384),
    ("registers", 12, 385),
    ("many", 12, 50_000),
    ("small", 7, 3_000),
    ("huge", 8, 1_000_000),
]
HLL_TYPES = {
    4: datasketches.HLL_4,
    6: datasketches.HLL_6,
    8: datasketches.HLL_8,
}


def item(i):
    """Skewed names, the most frequent first; two-, three- and four-byte characters among them."""
    rank = (i * 7919) % 1009 % (1 + (i * 31) % 97)
    return "änderung €𝄞"[: rank % 12] + str(rank)


def hll_row(i):
    """Texts, integers and doubles in turn, no two of them alike."""
    return [f"row {i}", i, i + 0.5][i % 3]


def encoded(data):
    return base64.b64encode(data).decode()


def frequent_facts(sketch):
    kind = datasketches.frequent_items_error_type
    rows = sketch.get_frequent_items(kind.NO_FALSE_NEGATIVES)
    certain = sketch.get_frequent_items(kind.NO_FALSE_POSITIVES)
    bounds = [sketch.get_lower_bound("0"), sketch.get_upper_bound("0"), sketch.get_upper_bound("?")]
    return {
        "count": sketch.total_weight,
        "size": sketch.num_active_items,
        "bounds": bounds,
        "possible": sorted([row[0], row[2], row[3]] for row in rows),
        "certain": sorted(row[0] for row in certain),
    }


def frequent_items():
    rows = {}
    for name, lg_size, n in FREQUENT_CASES:
        sketch = datasketches.frequent_strings_sketch(lg_size)
        for i in range(n):
            sketch.update(item(i))
        rows[name] = {"bytes": encoded(sketch.serialize()), **frequent_facts(sketch)}
    return rows


def hll_facts(sketch):
    return {
        "estimate": sketch.get_estimate(),
        "lower": sketch.get_lower_bound(2),
        "upper": sketch.get_upper_bound(2),
    }


def hll():
    rows = {}
    for name, lg_k, n in HLL_CASES:
        for bits, kind in HLL_TYPES.items():
            sketch = datasketches.hll_sketch(lg_k, kind)
            for i in range(n):
                sketch.update(hll_row(i))
            row = {"compact": encoded(sketch.serialize_compact()), **hll_facts(sketch)}
            if bits == 4 or n < 1000:
                row["updatable"] = encoded(sketch.serialize_updatable())
            rows[f"{name}, {bits} bits"] = row
    union = datasketches.hll_union(12)
    for first in (0, 10_000):
        part = datasketches.hll_sketch(12, datasketches.HLL_8)
        for i in range(first, first + 20_000):
            part.update(hll_row(i))
        union.update(part)
    merged = union.get_result(datasketches.HLL_8)
    rows["merged, 8 bits"] = {"compact": encoded(merged.serialize_compact()), **hll_facts(merged)}
    return rows


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=1, allow_nan=False) + "\n")


def facts_of(kind, data):
    """What DataSketches says of bytes that ours has written, after it could go on with them."""
    if kind == "frequent":
        sketch = datasketches.frequent_strings_sketch.deserialize(data)
        facts = frequent_facts(sketch)
        sketch.merge(datasketches.frequent_strings_sketch.deserialize(data))
        assert sketch.total_weight == 2 * facts["count"]
        return facts
    if kind == "hll":
        sketch = datasketches.hll_sketch.deserialize(data)
        union = datasketches.hll_union(sketch.lg_config_k)
        union.update(sketch)
        facts = {**hll_facts(sketch), "ooo": "OutOfOrder flag: true" in sketch.to_string()}
        assert abs(union.get_estimate() - facts["estimate"]) <= 0.1 * facts["estimate"]
        return facts
    sketch = datasketches.kll_doubles_sketch.deserialize(data)
    empty = sketch.is_empty()
    shares = [0.01, 0.25, 0.5, 0.9, 0.99]
    return {
        "count": sketch.n,
        "quantiles": [] if empty else [sketch.get_quantile(q, True) for q in shares],
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["check"]:
        ours = json.loads((HERE / "sketches-ours.json").read_text())
        for name, row in ours.items():
            facts = facts_of(row["kind"], base64.b64decode(row["bytes"]))
            for fact, value in row["facts"].items():
                assert facts[fact] == value, (name, fact, facts[fact], value)
    else:
        write("frequent-items.json", frequent_items())
        write("hll.json", hll())
