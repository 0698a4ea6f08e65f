"""Writes two-sample-tests.json, count-tests.json and null-laws.json: what scipy, and mpmath where
scipy loses digits, say of the samples in samples.py.

    /tmp/golden/bin/python write_two_sample.py

Run with the environment of write.py. A figure is null where its oracle has none.
"""

import itertools
import json
import math
import warnings

import mpmath
import numpy as np
from scipy import special, stats
from scipy.spatial import distance

import samples
from write import HERE, write

# Rows of the two sides.
SIZES = [
    (1, 2),
    (2, 2),
    (3, 5),
    (8, 8),
    (8, 300),
    (11, 19),
    (20, 20),
    (60, 45),
    (200, 200),
    (500, 333),
    (1000, 10),
    (2000, 1000),
]
LARGE = [(10_000, 10_000), (10_001, 3_000), (100_000, 2_000), (100_000, 100_000), (1, 100_000)]
# What the live side is: the same law scaled and shifted, or another law.
CHANGES = [("uniform", 1, 0.05), ("bell", 1.3, 0), ("heavy", 1, 0.5), ("skewed", -1, 3)]
CHANGES += [("digits", 1, 1), ("flags", 1, 0), ("tenths", 1, 0.1), ("zeros", 1, 0)]
CHANGES += [("twoHumps", 1, 0.3), ("constant", 1, 0)]


def finite(x):
    x = float(x)
    return x if math.isfinite(x) else None


def ask(question):
    """The numbers that a question gives, or nulls where it fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return [finite(x) for x in question()]
        except (RuntimeWarning, ValueError, IndexError, ZeroDivisionError, FloatingPointError):
            return None


def cramer_von_mises(a, b):
    """The pooled mean of (F - G)^2, where equal rows follow one another evenly mixed."""
    a, b = np.sort(a), np.sort(b)
    values, times = np.unique(np.concatenate([a, b]), return_counts=True)
    f = np.searchsorted(a, values, side="right") / len(a)
    g = np.searchsorted(b, values, side="right") / len(b)
    after = f - g
    before = np.concatenate([[0], after[:-1]])
    squares = [
        np.sum((l + (r - l) * np.arange(1, t + 1) / t) ** 2)
        for l, r, t in zip(before, after, times)
    ]
    return len(a) * len(b) / (len(a) + len(b)) ** 2 * math.fsum(squares)


def cramer_von_mises_limit(a, b):
    """scipy's p by its own formula, but with a limit law that keeps its digits in the tail."""
    n, m = len(a), len(b)
    if max(n, m) <= 20:
        return None
    t = stats.cramervonmises_2samp(a, b).statistic
    rows = n + m
    mean = (1 + 1 / rows) / 6
    variance = (rows + 1) * (4 * n * m * rows - 3 * (n**2 + m**2) - 2 * n * m)
    variance /= 45 * rows**2 * 4 * n * m
    x = 1 / 6 + (t - mean) / math.sqrt(45 * variance)
    return [cramer_von_mises_upper(x)] if 0.003 < x < 20 else None


def anderson_darling(a, b):
    """Statistic and p; scipy caps and floors p and warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        test = stats.anderson_ksamp([a, b], variant="midrank")
    return test.statistic, test.pvalue


def of(test):
    return test.statistic, test.pvalue


def figures(a, b, exponent):
    """All figures of one pair; distances are scaled by 2^exponent afterwards, exactly."""
    n, m = len(a), len(b)
    d = stats.ks_2samp(a, b, method="asymp").statistic
    limit = stats.kstwobign.sf(math.sqrt(n * m / (n + m)) * d)
    exact = ask(lambda: [stats.ks_2samp(a, b, method="exact").pvalue]) if n * m <= 4e6 else None
    scale = lambda x: [finite(np.ldexp(x, exponent))]
    moved = stats.wasserstein_distance(a, b)
    weights = [samples.weights(n), samples.weights(m)]
    root = math.sqrt(2) ** (exponent % 2)
    return {
        "ks": [float(d), exact and exact[0], float(limit)],
        "ksOneSample": ask(lambda: of(stats.ks_2samp(a, b, method="asymp"))),
        "cramerVonMises": ask(lambda: [cramer_von_mises(a, b)]),
        "cramerVonMisesMidrank": ask(lambda: of(stats.cramervonmises_2samp(a, b))),
        "cramerVonMisesLimit": cramer_von_mises_limit(a, b),
        "andersonDarling": ask(lambda: anderson_darling(a, b)),
        "mannWhitney": ask(lambda: of(stats.mannwhitneyu(a, b))),
        "welch": ask(lambda: of(stats.ttest_ind(a, b, equal_var=False))),
        "pooled": ask(lambda: of(stats.ttest_ind(a, b))),
        "wasserstein": scale(moved),
        "wassersteinWeighted": ask(lambda: scale(stats.wasserstein_distance(a, b, *weights))),
        "normalised": ask(
            lambda: [np.ldexp(moved, exponent) / max(np.ldexp(np.std(a), exponent), 0.001)]
        ),
        "energy": ask(lambda: [np.ldexp(stats.energy_distance(a, b), exponent // 2) * root]),
        "energyWeighted": ask(
            lambda: [np.ldexp(stats.energy_distance(a, b, *weights), exponent // 2) * root]
        ),
    }


def specs(law, live_law, n, m, seed, scale, shift):
    reference = {"law": law, "length": n, "seed": seed, "scale": 1, "shift": 0}
    live = {"law": live_law, "length": m, "seed": seed + 1, "scale": scale, "shift": shift}
    return reference, live


def pairs():
    """Every law unchanged and changed, at every size; then large, huge and denormal ones."""
    seed = 1
    for law, scale, shift in CHANGES:
        for i, (n, m) in enumerate(SIZES):
            changed = (scale, shift) if i % 2 else (1, 0)
            yield *specs(law, law, n, m, seed, *changed), 0
            seed += 2
    for (n, m), law in zip(LARGE, itertools.cycle(["bell", "tenths", "heavy", "skewed"])):
        yield *specs(law, law, n, m, seed, 1, 0.01), 0
        seed += 2
    for (n, m), law in zip(SIZES[4:], itertools.cycle(["bell", "uniform", "digits", "zeros"])):
        yield *specs(law, "twoHumps", n, m, seed, 1, 0), 0
        yield *specs(law, law, m, n, seed + 2, 1, 0.25), 1019
        yield *specs("digits", "digits", n, m, seed + 4, 1, 1), -1070
        yield *specs(law, law, n, m, seed + 6, -1e-6, 1e6), 0
        seed += 8


def two_sample_tests():
    rows = []
    for reference, live, exponent in pairs():
        a, b = (np.array(samples.sample(**spec)) for spec in (reference, live))
        expected = figures(a, b, exponent)
        rows.append([reference, live, exponent, expected])
    write_rows("two-sample-tests.json", rows)


def write_rows(name, rows):
    """One row a line: small, and a change shows what it changed."""
    text = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
    (HERE / name).write_text(f"[\n{text}\n]\n")


def association(r, c, correction):
    table = np.array([r, c], int)
    return stats.contingency.association(table, method="cramer", correction=correction)


def count_figures(r, c):
    """Figures of two count vectors; distances need every cell seen on some side."""
    p, q = r / r.sum(), c / c.sum()
    seen = (r + c) > 0
    table = np.array([r[seen], c[seen]])
    law = r[seen] * c.sum() / r.sum()
    n, m, cells = int(r.sum()), int(c.sum()), len(r)
    psi = ask(lambda: [np.sum((q - p) * np.log(q / p))])
    js = float(distance.jensenshannon(p, q, base=2))
    half_p, half_q = (r + 0.5) / (n + cells / 2), (c + 0.5) / (m + cells / 2)
    power = lambda name, yates: of(stats.chi2_contingency(table, correction=yates, lambda_=name))
    out = {
        "chiSquare": ask(lambda: power("pearson", False)),
        "yates": ask(lambda: power("pearson", True)),
        "g": ask(lambda: power("log-likelihood", False)),
        "goodnessOfFit": ask(lambda: of(stats.chisquare(c[seen], law))),
        "goodnessOfFitG": ask(lambda: of(stats.power_divergence(c[seen], law, lambda_=0))),
        "cramersV": ask(lambda: [association(r[seen], c[seen], False)]),
        "kullbackLeibler": ask(lambda: [stats.entropy(p, q)]),
        "jensenShannon": [js],
        "jensenShannonNats": [float(distance.jensenshannon(p, q))],
        "hellinger": [float(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / math.sqrt(2))],
        "totalVariation": [float(distance.cityblock(p, q) / 2)],
        "chebyshev": [float(distance.chebyshev(p, q))],
        "psi": psi,
        "psiSmoothed": [float((special.kl_div(half_p, half_q) + special.kl_div(half_q, half_p)).sum())],
        "jsP": [float(stats.chi2.sf(8 * math.log(2) * js * js / (1 / n + 1 / m), cells - 1))],
    }
    if psi is not None and psi[0] is not None:
        out["psiP"] = [float(stats.chi2.sf(psi[0] / (1 / n + 1 / m), cells - 1))]
    if cells == 2:
        out["fisher"] = ask(lambda: [stats.fisher_exact(table).pvalue])
    return out


def count_tests():
    rows = []
    seed = 1
    for cells in [2, 3, 4, 7, 10, 20, 50]:
        for most, live_most in [(5, 4), (40, 15), (300, 300), (2_000, 100), (1_000_000, 60_000)]:
            r, c = samples.counts(cells, seed, most), samples.counts(cells, seed + 1, live_most)
            if sum(r) > 0 and sum(c) > 0:
                expected = count_figures(np.array(r, float), np.array(c, float))
                rows.append([[cells, seed, most], [cells, seed + 1, live_most], expected])
            seed += 2
    write_rows("count-tests.json", rows)


def cramer_von_mises_upper(x):
    """1 - the limit law (Anderson and Darling 1952, equation 4.35), in 50 digits."""
    x = mpmath.mpf(x)
    total = mpmath.mpf(0)
    for k in range(60):
        y = (4 * k + 1) ** 2 / (16 * x)
        weight = mpmath.gamma(k + 0.5) / mpmath.factorial(k) * mpmath.sqrt(4 * k + 1)
        term = weight * mpmath.exp(-y) * mpmath.besselk(0.25, y)
        total += term
        if term < mpmath.mpf(10) ** -48 * total:
            break
    return float(1 - total / (mpmath.pi**1.5 * mpmath.sqrt(x)))


def anderson_darling_upper(x):
    """1 - the limit law (Anderson and Darling 1954, equation 5), in 50 digits."""
    x = mpmath.mpf(x)
    total = mpmath.mpf(0)
    for j in range(40):
        y = (4 * j + 1) ** 2 * mpmath.pi**2 / (8 * x)
        integral = mpmath.quad(
            lambda w: mpmath.exp(x / (8 * (w * w + 1)) - y * w * w), [0, 1, 4, mpmath.inf]
        )
        term = mpmath.binomial(-0.5, j) * (4 * j + 1) * mpmath.exp(-y) * integral
        total += term
        if abs(term) < mpmath.mpf(10) ** -45:
            break
    return float(1 - mpmath.sqrt(2 * mpmath.pi) / x * total)


def student_two_sided(t, df):
    x = mpmath.mpf(df) / (mpmath.mpf(df) + mpmath.mpf(t) ** 2)
    return float(mpmath.betainc(mpmath.mpf(df) / 2, 0.5, 0, x, regularized=True))


def one_sample_tests():
    """Rows against the standard normal law."""
    for law, n in itertools.product(["bell", "heavy", "digits"], [1, 7, 100, 3_000]):
        spec = {"law": law, "length": n, "seed": n, "scale": 1, "shift": 0}
        test = stats.kstest(samples.sample(**spec), "norm", method="exact")
        yield [spec, *of(test)]


def null_laws():
    shares = [0.5, 0.3, 0.1, 0.05, 0.01, 0.001, 1e-5, 1e-9]
    ns = [1, 2, 3, 10, 50, 140, 141, 500, 1_000, 5_000, 20_000, 100_000]
    zs = [0.4, 0.6, 0.8, 1, 1.2, 1.36, 1.5, 1.9, 2.5, 4]
    points = [(z / math.sqrt(n), n) for n in ns for z in zs if z < math.sqrt(n)]
    ts, dfs = [1e-5, 0.3, 1.86, 5, 30], [0.5, 1, 2, 9.1, 100, 1e4, 1e6, 1e8]
    stability = [
        [p, cells, n, m, float((1 / n + 1 / m) * stats.chi2.isf(p, cells - 1))]
        for p in shares
        for cells in [2, 5, 10, 20]
        for n, m in [(1000, 1000), (100_000, 10_000), (1000, 200)]
    ]
    write(
        "null-laws.json",
        {
            "kolmogorovOneSample": [[d, n, float(stats.kstwo.sf(d, n))] for d, n in points],
            "cramerVonMises": [
                [x, cramer_von_mises_upper(x)]
                for x in [0.01, 0.05, 0.1, 1 / 6, 0.3, 0.461, 0.743, 1, 1.5, 2, 3, 4, 6]
            ],
            "andersonDarling": [
                [x, anderson_darling_upper(x)] for x in [0.1, 0.2, 0.5, 1, 2.492, 3.857, 6, 9, 14]
            ],
            "student": [[t, df, student_two_sided(t, df)] for t in ts for df in dfs],
            "populationStability": stability,
            "oneSample": list(one_sample_tests()),
        },
        indent=None,
    )


if __name__ == "__main__":
    two_sample_tests()
    count_tests()
    null_laws()
