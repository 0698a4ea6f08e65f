"""Reads columns from a JSON file and prints what Evidently and scipy say of each.

    python distances.py REQUESTS.json

A request is {"kind": "num" or "cat", "reference": [...], "current": [...], "edges": [...]}; edges
are those of cells that both sides are to be counted in.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from scipy import stats
from scipy.spatial import distance

TESTS = {
    "num": ["ks", "wasserstein", "psi", "jensenshannon"],
    "cat": ["chisquare", "psi", "jensenshannon"],
}


def score(reference, current, kind, name):
    column = ColumnType(kind)
    test = get_stattest(reference, current, column, name)
    return float(test(reference, current, column, None).drift_score)


def cells(values, edges):
    """Counts in (edges[i - 1], edges[i]], the outer cells unbounded."""
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)


def shares(reference, current):
    p, q = (np.asarray(side, dtype=float) / np.sum(side) for side in (reference, current))
    with np.errstate(divide="ignore", invalid="ignore"):
        psi = np.sum((q - p) * np.log(q / p))
    return {
        "psi": float(psi) if np.isfinite(psi) else None,
        "jensenShannon": float(distance.jensenshannon(p, q, 2)),
        "counts": [np.asarray(side).tolist() for side in (reference, current)],
    }


def numeric(reference, current, edges):
    ks = stats.ks_2samp(reference, current)
    # The edges that Evidently chooses itself.
    own = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
    return {
        "ks": [float(ks.statistic), float(ks.pvalue)],
        "wasserstein": float(stats.wasserstein_distance(reference, current)),
        "sigma": float(np.std(reference)),
        "shares": shares(cells(reference, edges), cells(current, edges)),
        "histogram": shares(*(np.histogram(side, own)[0] for side in (reference, current))),
    }


def categorical(reference, current):
    names = sorted(set(reference) | set(current))
    table = [[int((side == name).sum()) for name in names] for side in (reference, current)]
    found = stats.chi2_contingency(table, correction=False)
    return {
        "chiSquare": [float(found.statistic), float(found.pvalue)],
        "shares": shares(*table),
    }


def answer(request):
    kind = request["kind"]
    reference, current = (pd.Series(request[side]) for side in ("reference", "current"))
    theirs = {name: score(reference, current, kind, name) for name in TESTS[kind]}
    if kind == "num":
        ours = numeric(reference.to_numpy(), current.to_numpy(), np.array(request["edges"]))
    else:
        ours = categorical(reference, current)
    return {"evidently": theirs, "scipy": ours}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with open(sys.argv[1]) as file:
        print(json.dumps([answer(request) for request in json.load(file)]))
