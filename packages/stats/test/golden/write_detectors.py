"""Writes detectors.json, golden values of single-stream detectors, from pinned River.

    python -m venv venv && venv/bin/pip install -r packages/stats/test/golden/requirements.txt
    venv/bin/python packages/stats/test/golden/write_detectors.py
"""

import json
import pathlib
import random

import river
from river import drift

HERE = pathlib.Path(__file__).parent


def published_stream():
    """The stream of River's own docstrings, from random.Random(12345)."""
    rng = random.Random(12345)
    return rng.choices([0, 1], k=1000) + rng.choices(range(4, 8), k=1000)


def steps():
    """Several changes of mean and spread, down as well as up."""
    rng = random.Random(7)
    parts = [(0, 1, 700), (1, 1, 500), (-1, 2, 600), (-1, 0.2, 400), (-0.7, 0.2, 800)]
    return [round(rng.gauss(mean, sigma), 3) for mean, sigma, n in parts for _ in range(n)]


def constant():
    return [3.5] * 400 + [3.6] * 400


STREAMS = {"published": published_stream(), "steps": steps(), "constant": constant()}

PAGE_HINKLEY = [
    {},
    {"threshold": 10, "delta": 0.1, "alpha": 0.999},
    {"threshold": 5, "mode": "up", "min_instances": 5},
    {"threshold": 5, "mode": "down", "alpha": 1},
]

ADWIN = [
    {},
    {"delta": 0.05, "clock": 1},
    {"clock": 7, "max_buckets": 3, "min_window_length": 2, "grace_period": 40},
]


def page_hinkley(options, values):
    detector = drift.PageHinkley(**options)
    found = []
    for i, x in enumerate(values):
        detector.update(x)
        if detector.drift_detected:
            found.append(i)
    return {"options": options, "detections": found}


def adwin(options, values):
    detector = drift.ADWIN(**options)
    found = []
    widths = []
    for i, x in enumerate(values):
        detector.update(x)
        if detector.drift_detected:
            found.append(i)
        if i % 50 == 49:
            widths.append([detector.width, detector.total, detector.variance])
    return {"options": options, "detections": found, "windows": widths}


golden = {
    "river": river.__version__,
    "streams": STREAMS,
    "pageHinkley": {
        name: [page_hinkley(options, values) for options in PAGE_HINKLEY]
        for name, values in STREAMS.items()
    },
    "adwin": {
        name: [adwin(options, values) for options in ADWIN] for name, values in STREAMS.items()
    },
}

(HERE / "detectors.json").write_text(json.dumps(golden) + "\n")
