"""Writes the golden JSON and sketch bytes that the tests of this package read.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install -r requirements.txt
    /tmp/golden/bin/python write.py

Deterministic: closed-form inputs and one fixed seed. mpmath, at 50 digits, is the oracle where
scipy itself loses accuracy; scipy is the oracle for everything else.
"""

import json
import pathlib

import mpmath
import numpy as np
from scipy import stats
from scipy.spatial import distance

HERE = pathlib.Path(__file__).parent
SEED = 20261101
mpmath.mp.dps = 50


def write(name, value):
    text = json.dumps(value, indent=1, allow_nan=False)
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


if __name__ == "__main__":
    tails()
    two_samples()
    counts()
