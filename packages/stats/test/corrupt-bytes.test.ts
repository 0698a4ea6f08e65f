// Every deserialiser against corrupt bytes: it answers with a summary or a SummaryFormatError, in
// bounded time and memory. TIDEMARK_FUZZ_RUNS sets how many inputs there are in all.

import { describe, expect, it } from "vitest";
import {
  BoundsHistogram,
  CategoryCounts,
  ExemplarReservoir,
  ExponentialHistogram,
  FeatureMap,
  FeatureMean,
  FrequentItems,
  GridSummary,
  HllSketch,
  KllSketch,
  MomentSummary,
  ReferenceGrid,
  SummaryFormatError,
} from "../src/index.ts";
import { contentHash } from "../src/summaries/summary-bytes.ts";
import { golden } from "./golden.ts";
import { kllOf, kllValues } from "./kll-stream.ts";
import { draws, type SeededRandom, seededRandom } from "./seeded-random.ts";
import { frequentOf, hllOf } from "./sketch-streams.ts";

const RUNS = Number(process.env["TIDEMARK_FUZZ_RUNS"] ?? 22_000);

/** Reads, and uses what was read: whatever is accepted must work. */
interface Reader {
  readonly samples: readonly Uint8Array[];
  /** Ends in our content hash, which a mutation may have to renew to get any further. */
  readonly hashed: boolean;
  read(bytes: Uint8Array): void;
}

const grid = ReferenceGrid.fromSample(kllValues(400), { bins: 16 });
const map = new FeatureMap({ dimension: 2, bandwidth: 1, features: 8 });
const values = [1, -2.5, 0, 1e300, 3, 3, Number.NaN, null];

const readers: Record<string, Reader> = {
  "reference grid": {
    hashed: true,
    samples: [grid.serialise(), ReferenceGrid.fromSample([1, 1, 2]).serialise()],
    read(bytes) {
      const read = ReferenceGrid.deserialise(bytes);
      new GridSummary(read).add(1);
      read.quantile(0.5);
      read.cells();
    },
  },
  "grid summary": {
    hashed: true,
    samples: [used(new GridSummary(grid)).serialise()],
    read(bytes) {
      const read = GridSummary.deserialise(grid, bytes);
      used(read).quantile(0.5);
      read.clone();
    },
  },
  "category counts": {
    hashed: true,
    samples: [categories().serialise()],
    read(bytes) {
      const read = CategoryCounts.deserialise(bytes);
      read.add("new");
      read.clone().serialise();
    },
  },
  moments: {
    hashed: true,
    samples: [used(new MomentSummary()).serialise(), new MomentSummary().serialise()],
    read: (bytes) => void used(MomentSummary.deserialise(bytes)).clone().serialise(),
  },
  "bounds histogram": {
    hashed: true,
    samples: [used(new BoundsHistogram([-1, 0, 2, 9])).serialise()],
    read: (bytes) => void used(BoundsHistogram.deserialise(bytes)).quantileRange(0.5),
  },
  "exponential histogram": {
    hashed: true,
    samples: [1, 2, 160].map((n) =>
      used(new ExponentialHistogram({ bucketsMax: Math.max(2, n) })).serialise(),
    ),
    read(bytes) {
      const read = used(ExponentialHistogram.deserialise(bytes));
      read.quantile(0.3);
      read.clone().serialise();
    },
  },
  "feature mean": {
    hashed: true,
    samples: [featureMean().serialise()],
    read(bytes) {
      const read = FeatureMean.deserialise(map, bytes);
      if (read.count > 1) read.discrepancy(featureMean());
      read.clone();
    },
  },
  "exemplar reservoir": {
    hashed: true,
    samples: [exemplars(3).serialise(), exemplars(20).serialise()],
    read(bytes) {
      const read = ExemplarReservoir.deserialise(bytes);
      read.exemplars();
      read.merge(new ExemplarReservoir({ capacity: read.capacity, seed: 77 }));
    },
  },
  KLL: {
    hashed: false,
    samples: [0, 1, 5, 60, 900].map((n) => kllOf(16, kllValues(n)).serialise()),
    read(bytes) {
      const read = used(KllSketch.deserialise(bytes));
      read.quantile(0.5);
      expect(read.serialise().length).toBeLessThan(bytes.length + 20_000);
    },
  },
  "frequent items": {
    hashed: false,
    samples: [0, 1, 40, 900].map((n) => frequentOf(16, n).serialise()),
    read(bytes) {
      const read = FrequentItems.deserialise(bytes);
      read.add("new");
      read.frequentItems("possible");
      read.clone().serialise();
    },
  },
  HLL: {
    hashed: false,
    samples: [...[0, 5, 20, 3000].map((n) => hllOf(8, n).serialise()), ...theirSmallHlls()],
    read(bytes) {
      const read = HllSketch.deserialise(bytes);
      read.add("new");
      read.estimate();
      read.clone().serialise();
    },
  },
};

function used<Numbers extends { add(value: number | null): void }>(summary: Numbers): Numbers {
  for (const x of values) summary.add(x);
  return summary;
}

function categories(): CategoryCounts {
  const counts = new CategoryCounts({ capacity: 3, reserved: ["a", "ü"] });
  for (const name of ["a", "b", "b", "c", "d", "e"]) counts.add(name);
  return counts;
}

function featureMean(): FeatureMean {
  const mean = new FeatureMean(map);
  mean.addMany(draws(20, seededRandom(1).normal));
  return mean;
}

function exemplars(n: number): ExemplarReservoir {
  const reservoir = new ExemplarReservoir({ capacity: 8 });
  const spanId = "0123456789abcdef";
  for (let i = 0; i < n; i++) {
    reservoir.add({ value: i, timeUnixNano: BigInt(i), traceId: spanId + spanId, spanId });
  }
  return reservoir;
}

function theirSmallHlls(): Uint8Array[] {
  const rows = golden("hll.json") as Record<string, { compact: string; updatable?: string }>;
  return Object.entries(rows)
    .filter(([name]) => /^(empty|list|small|huge)/.test(name))
    .flatMap(([, { compact, updatable }]) => [compact, updatable ?? compact])
    .map((text) => new Uint8Array(Buffer.from(text, "base64")));
}

/** Some bytes changed, cut off, added or taken from elsewhere, mostly near the beginning. */
function mutated(sample: Uint8Array, random: SeededRandom, hashed: boolean): Uint8Array {
  let bytes = sample.slice();
  const place = () => {
    const within = random.uniform() < 0.6 ? Math.min(48, bytes.length) : bytes.length;
    return random.integer(Math.max(1, within));
  };
  for (let changes = 1 + random.integer(4); changes > 0 && bytes.length > 0; changes--) {
    const kind = random.integer(10);
    if (kind < 3) bytes[place()] = random.integer(256);
    else if (kind < 5) bytes[place()] = (bytes[place()] as number) ^ (1 << random.integer(8));
    else if (kind < 6)
      bytes.fill([0, 127, 128, 255][random.integer(4)] as number, place(), place());
    else if (kind < 7) bytes = bytes.slice(0, place());
    else if (kind < 8) bytes = Uint8Array.from([...bytes, ...bytes.slice(0, place())]);
    else bytes.copyWithin(place(), place(), place());
  }
  // Without this, nearly all would end at the hash.
  if (hashed && bytes.length > 8 && random.uniform() < 0.9) {
    bytes.set(contentHash(bytes.subarray(0, -8)), bytes.length - 8);
  }
  return bytes;
}

describe("deserialising corrupt bytes", () => {
  const each = Math.ceil(RUNS / Object.keys(readers).length);
  for (const [name, { samples, hashed, read }] of Object.entries(readers)) {
    it(`of ${name} ends in a summary that works or in a SummaryFormatError`, {
      timeout: 60_000 + RUNS,
    }, () => {
      const random = seededRandom(90);
      let accepted = 0;
      for (let run = 0; run < each; run++) {
        const sample = samples[run % samples.length] as Uint8Array;
        const bytes = mutated(sample, random, hashed);
        try {
          read(bytes);
          accepted++;
        } catch (error) {
          const text = `${String(error)} for ${Buffer.from(bytes).toString("base64")}`;
          expect(error instanceof SummaryFormatError, text).toBe(true);
          expect((error as Error).message).toMatch(/^[\w ]+: ./);
        }
      }
      // Some mutations do no harm, and most do.
      expect(accepted).toBeLessThan(each);
      for (const sample of samples) read(sample);
    });
  }

  it("of nothing says so", () => {
    for (const { read } of Object.values(readers)) {
      expect(() => read(new Uint8Array(0))).toThrow(SummaryFormatError);
    }
  });
});
