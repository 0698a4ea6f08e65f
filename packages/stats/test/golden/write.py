"""Writes the golden JSON and sketch bytes that the tests of this package read.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r requirements.txt
    /tmp/golden/bin/python write.py

write_two_sample.py and write_evidently.py write the rest, in the same environment.
kll-ours.json is written by `vitest -u` and only checked here. Everything is deterministic
(closed-form inputs and one fixed seed) but the compacted sketches of DataSketches, whose coin is
not seeded. mpmath, at 50 digits, is the oracle where scipy itself loses accuracy; scipy is the
oracle for everything else.
"""

import base64
import json
import pathlib

import datasketches
import mpmath
import numpy as np
from scipy import stats
from scipy.spatial import distance

HERE = pathlib.Path(__file__).parent
SEED = 20261101
mpmath.mp.dps = 50


def write(name, value, indent=1):
    text = json.dumps(value, indent=indent, allow_nan=False)
    (HERE / name).write_text(text + "\n")


def noncentral_upper(x, df, noncentrality):
    """P(X > x) by the Poisson mixture, every term in 50 digits."""
    a, y, mu = mpmath.mpf(df) / 2, mpmath.mpf(x) / 2, mpmath.mpf(noncentrality) / 2
    peak = float(max(0, min((mpmath.sqrt(a * a + 4 * mu * y) - a) / 2, y)))
    upper = mpmath.gammainc(a, y, regularized=True)
    step = mpmath.exp(a * mpmath.log(y) - y - mpmath.loggamma(a + 1))
    weight = mpmath.exp(-mu)
    total = mpmath.mpf(0)
    for j in range(int(peak + 14 * (peak + 1) ** 0.5 + 60)):
        total += weight * upper
        upper += step
        step *= y / (a + j + 1)
        weight *= mu / (j + 1)
    return float(total)


def tails():
    chi_square = []
    for df in [1, 2, 4, 5, 9, 19, 99, 400, 500, 1000, 2000, 10000]:
        for z in [-3, 0, 1, 3, 6, 12]:
            x = df + z * (2 * df) ** 0.5
            if x > 0:
                upper = mpmath.gammainc(mpmath.mpf(df) / 2, mpmath.mpf(x) / 2, regularized=True)
                chi_square.append([x, df, float(upper)])
    noncentral = []
    for df in [1, 4, 9, 199]:
        for noncentrality in [1e-6, 0.01, 1, 18.25, 62.5, 625, 6250]:
            for z in [-3, 0, 3, 6, 10, 20]:
                x = df + noncentrality + z * (2 * df + 4 * noncentrality) ** 0.5
                if x > 0:
                    upper = noncentral_upper(x, df, noncentrality)
                    noncentral.append([x, df, noncentrality, upper])
    normal = [[z, float(mpmath.ncdf(-z))] for z in [-6, -1, 0, 0.5, 1.96, 5, 6, 10, 30]]
    kolmogorov = [[z, float(stats.kstwobign.sf(z))] for z in [0.2, 0.5, 0.9, 1, 1.1, 1.5, 2, 3, 5]]
    write(
        "tails.json",
        {
            "chiSquareUpper": chi_square,
            "noncentralUpper": noncentral,
            "normalUpper": normal,
            "kolmogorovUpper": kolmogorov,
        },
    )


def samples(rng):
    """Pairs of small samples, with and without ties, as [name, a, b]."""
    yield "normal", rng.normal(size=60), rng.normal(0.4, 1.3, size=45)
    yield "equal sizes", rng.normal(size=50), rng.normal(0.8, 1, size=50)
    yield "ties", rng.integers(0, 6, 40), rng.integers(1, 8, 70)
    yield "heavy tails", rng.standard_cauchy(80), rng.standard_cauchy(30) * 2
    yield "far apart", rng.normal(size=100), rng.normal(3, 1, size=120)


def two_samples():
    rows = []
    for name, a, b in samples(np.random.default_rng(SEED)):
        a, b = np.asarray(a, float), np.asarray(b, float)
        ks = stats.ks_2samp(a, b, method="exact")
        weights = [np.arange(1, len(x) + 1, dtype=float) for x in (a, b)]
        rows.append(
            {
                "name": name,
                "a": a.tolist(),
                "b": b.tolist(),
                "ks": float(ks.statistic),
                "ksExact": float(ks.pvalue),
                "wasserstein": float(stats.wasserstein_distance(a, b)),
                "wassersteinWeighted": float(stats.wasserstein_distance(a, b, *weights)),
            }
        )
    write("two-samples.json", rows)


def counts():
    rng = np.random.default_rng(SEED)
    rows = []
    for k in [2, 3, 5, 20]:
        for _ in range(4):
            r, c = rng.integers(1, 200, k), rng.integers(1, 60, k)
            p, q = r / r.sum(), c / c.sum()
            chi2 = stats.chi2_contingency([r, c], correction=False)
            g = stats.chi2_contingency([r, c], correction=False, lambda_="log-likelihood")
            row = {
                "reference": r.tolist(),
                "live": c.tolist(),
                "chiSquare": float(chi2.statistic),
                "chiSquareP": float(chi2.pvalue),
                "g": float(g.statistic),
                "gP": float(g.pvalue),
                "kullbackLeibler": float(stats.entropy(p, q)),
                "jensenShannon": float(distance.jensenshannon(p, q, base=2)),
                "jensenShannonNats": float(distance.jensenshannon(p, q)),
                "hellinger": float(np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2)),
                "totalVariation": float(np.abs(p - q).sum() / 2),
                "psi": float(((q - p) * np.log(q / p)).sum()),
                "cramersV": float(
                    stats.contingency.association([r, c], method="cramer", correction=False)
                ),
            }
            if k == 2:
                row["fisher"] = float(stats.fisher_exact([r, c]).pvalue)
            rows.append(row)
    write("counts.json", rows)


def kll_values(n, offset=0):
    """The closed-form stream of test/kll-stream.ts: full period, both signs, ties after 10,007."""
    return [((i * 7919 + offset) % 10007 - 5000) / 8 for i in range(n)]


def kll_facts(sketch):
    points = [-600.0, -100.5, 0.0, 0.125, 333.0]
    shares = [0.01, 0.25, 0.5, 0.9, 0.99]
    empty = sketch.is_empty()
    return {
        "bytes": base64.b64encode(sketch.serialize()).decode(),
        "k": sketch.k,
        "n": sketch.n,
        "retained": sketch.num_retained,
        "isEstimate": sketch.is_estimation_mode(),
        "points": points,
        "ranks": [] if empty else [sketch.get_rank(x, True) for x in points],
        "shares": shares,
        "quantiles": [] if empty else [sketch.get_quantile(q, True) for q in shares],
    }


def kll():
    """Sketches written by DataSketches, for ours to read."""
    rows = {}
    for name, k, n in [
        ("empty", 200, 0),
        ("one", 200, 1),
        ("three", 200, 3),
        ("exactly k", 200, 200),
        ("k and one", 200, 201),
        ("many", 200, 50_000),
        ("small k", 8, 3_000),
        ("baseline", 2048, 50_000),
    ]:
        sketch = datasketches.kll_doubles_sketch(k)
        for x in kll_values(n):
            sketch.update(x)
        rows[name] = kll_facts(sketch)
    merged = datasketches.kll_doubles_sketch(400)
    for k, offset in [(400, 0), (128, 11)]:
        part = datasketches.kll_doubles_sketch(k)
        for x in kll_values(9_000, offset):
            part.update(x)
        merged.merge(part)
    rows["merged"] = kll_facts(merged)
    write("kll.json", rows)


def check_ours():
    """DataSketches must read what ours has written (kll-ours.json) and answer alike."""
    ours = json.loads((HERE / "kll-ours.json").read_text())
    for name, row in ours.items():
        sketch = datasketches.kll_doubles_sketch.deserialize(base64.b64decode(row["bytes"]))
        theirs = kll_facts(sketch)
        for fact in ["k", "n", "retained", "isEstimate", "ranks", "quantiles"]:
            assert theirs[fact] == row[fact], (name, fact, theirs[fact], row[fact])
        sketch.update(1e6)
        other = datasketches.kll_doubles_sketch(row["k"])
        for x in kll_values(5_000, 3):
            other.update(x)
        other.merge(sketch)
        assert other.n == row["n"] + 5_001 and other.get_max_value() == 1e6, name


if __name__ == "__main__":
    tails()
    two_samples()
    counts()
    kll()
    check_ours()
