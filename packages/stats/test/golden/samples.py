"""Samples that test/golden-samples.ts makes alike, so that the golden JSON holds none of them.

Only +, -, *, / and floor are used, which every IEEE 754 machine rounds alike.
"""

import math


class Stream:
    """Uniform doubles on (0, 1) from a 32-bit linear congruential generator."""

    def __init__(self, seed):
        self.state = seed * 2654435761 & 0xFFFFFFFF
        for _ in range(4):
            self.uniform()

    def uniform(self):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state + 0.5) / 4294967296


def bell(stream):
    """Nearly normal, mean 0 and variance 1."""
    parts = [stream.uniform() for _ in range(12)]
    total = 0.0
    for part in parts:
        total += part
    return total - 6


def heavy(stream):
    x = 2 * stream.uniform() - 1
    return x / (1 - abs(x))


def skewed(stream):
    u = stream.uniform()
    return u / (1 - u)


def zeros(stream):
    u = stream.uniform()
    return 0.0 if u < 0.7 else u


def two_humps(stream):
    side = -3 if stream.uniform() < 0.5 else 3
    return bell(stream) + side


LAWS = {
    "uniform": lambda stream: stream.uniform(),
    "bell": bell,
    "heavy": heavy,
    "skewed": skewed,
    "zeros": zeros,
    "twoHumps": two_humps,
    "digits": lambda stream: float(math.floor(10 * stream.uniform())),
    "flags": lambda stream: float(math.floor(2 * stream.uniform())),
    "tenths": lambda stream: math.floor(30 * stream.uniform()) / 10,
    "constant": lambda stream: 4.0,
}


def sample(law, length, seed, scale=1, shift=0):
    """`length` draws of a law, times `scale`, plus `shift`."""
    stream = Stream(seed)
    draw = LAWS[law]
    return [draw(stream) * scale + shift for _ in range(length)]


def weights(length):
    """Whole weights 1 to 5."""
    return [i * 7 % 5 + 1 for i in range(length)]


def counts(cells, seed, most):
    """Whole counts from 0 to `most`, each third cell rare."""
    stream = Stream(seed)
    rows = []
    for i in range(cells):
        u = stream.uniform()
        rows.append(math.floor((u * u * 0.01 if i % 3 == 2 else u) * (most + 1)))
    return rows
