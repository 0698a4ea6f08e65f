"""Writes compatibility-*.json: what Evidently and scipy decide by default on samples of samples.py.

    /tmp/golden/bin/python write_evidently.py
"""

import itertools
import warnings

import numpy as np
import pandas as pd
from evidently.legacy.calculations.stattests import get_stattest
from scipy import stats

import samples
from write_two_sample import write_rows

NAMES = {
    "ks": "ks",
    "wasserstein": "wasserstein",
    "chisquare": "chi-square",
    "z": "z",
    "jensenshannon": "jensen-shannon",
}


def evidently(reference, live, kind):
    """Test, score and decision, as Evidently cleans and decides a column."""
    columns = [
        pd.Series(side).replace([-np.inf, np.inf], np.nan).dropna() for side in (reference, live)
    ]
    test = get_stattest(*columns, kind, None)
    result = test(*columns, kind, None)
    return [NAMES[test.name], float(result.drift_score), bool(result.drifted)]


def numeric():
    laws = ["bell", "heavy", "digits", "flags", "tenths", "zeros", "constant"]
    sizes = [(50, 30), (300, 500), (1_000, 1_000), (1_001, 200), (4_000, 12_000)]
    changes = [(1, 0), (1, 0.08), (1.4, 0), (1, 1)]
    for seed, (law, (n, m), (scale, shift)) in enumerate(itertools.product(laws, sizes, changes)):
        reference = {"law": law, "length": n, "seed": 2 * seed + 1, "scale": 1, "shift": 0}
        live = {"law": law, "length": m, "seed": 2 * seed + 2, "scale": scale, "shift": shift}
        a, b = (np.array(samples.sample(**spec)) for spec in (reference, live))
        p = float(stats.ks_2samp(a, b).pvalue)
        yield [reference, live, evidently(a, b, "num"), ["ks", p, p < 0.05]]


def repeated(counts):
    return [f"c{i:02}" for i, count in enumerate(counts) for _ in range(count)]


def categories():
    seed = 1
    for cells, (most, live_most) in itertools.product(
        [1, 2, 3, 5, 20], [(30, 20), (60, 400), (200, 50), (400, 400), (2_000, 300)]
    ):
        reference, live = [cells, seed, most], [cells, seed + 1, live_most]
        for other in (live, [cells, seed, live_most], [cells, seed, most]):
            r, c = samples.counts(*reference), samples.counts(*other)
            if sum(r) == 0 or sum(c) == 0:
                continue
            seen = (np.array(r) + np.array(c)) > 0
            table = np.array([r, c])[:, seen]
            p = float(stats.chi2_contingency(table).pvalue)
            theirs = evidently(repeated(r), repeated(c), "cat")
            yield [reference, other, theirs, ["chi-square", p, p < 0.05]]
        seed += 2


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write_rows("compatibility-numeric.json", list(numeric()))
    write_rows("compatibility-categories.json", list(categories()))
