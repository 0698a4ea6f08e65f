/** A column of numbers in bounded memory: as they are while there is room, then as a sketch. */
import { KllSketch, MomentSummary, ReferenceGrid } from "@tidemark/stats";

/** 8 MB a column; beyond it a sketch with an error of .14 % stands for the column. */
const EXACT_ROWS_MAX = 1_000_000;
/** 256 MB for all columns together. */
const EXACT_ROWS_TOTAL = 32_000_000;

/** Rows that may still be kept as they are. */
export interface RowBudget {
  left: number;
}

/** What all columns of one reference share. */
export function rowBudget(): RowBudget {
  return { left: EXACT_ROWS_TOTAL };
}

/** Collects numbers; mean, variance and extremes stay exact. */
export class NumberCollector {
  count = 0;
  private readonly budget: RowBudget;
  private values = new Float64Array(0);
  private sketch: KllSketch | undefined;
  private readonly moments = new MomentSummary();

  constructor(budget: RowBudget) {
    this.budget = budget;
  }

  add(value: number): void {
    if (this.sketch === undefined && this.count < this.values.length) {
      this.values[this.count++] = value;
      return;
    }
    this.count++;
    if (this.sketch === undefined && this.grow()) this.values[this.count - 1] = value;
    else {
      this.sketch ??= this.toSketch();
      this.sketch.add(value);
      this.moments.add(value);
    }
  }

  /** The reference that they make. @throws RangeError without any */
  grid(): ReferenceGrid {
    const { sketch, moments } = this;
    if (sketch === undefined) {
      const values = this.values.subarray(0, this.count).toSorted();
      return ReferenceGrid.fromSample(values, { float32: fitsFloat32(values) });
    }
    const { mean, variance, min, max } = moments;
    const view = sketch.sortedView();
    const float32 = fitsFloat32(view.values);
    const source = { sortedView: () => view, mean, variance, min, max };
    return ReferenceGrid.fromSketch(source, { float32 });
  }

  private grow(): boolean {
    const length = Math.min(EXACT_ROWS_MAX, Math.max(1024, this.values.length * 2));
    const more = length - this.values.length;
    if (more === 0 || more > this.budget.left) return false;
    this.budget.left -= more;
    const grown = new Float64Array(length);
    grown.set(this.values);
    this.values = grown;
    return true;
  }

  private toSketch(): KllSketch {
    const sketch = new KllSketch();
    sketch.addMany(this.values);
    this.moments.addMany(this.values);
    this.budget.left += this.values.length;
    this.values = new Float64Array(0);
    return sketch;
  }
}

/**
 * Whether rounding to float32 keeps ascending values apart. Models mostly take float32, and 0.1
 * from a file and 0.1 from a tensor are equal only when both are rounded; rounding loses nothing.
 */
function fitsFloat32(sorted: Float64Array): boolean {
  for (let i = 1; i < sorted.length; i++) {
    const [before, value] = [sorted[i - 1] as number, sorted[i] as number];
    if (before !== value && Math.fround(before) === Math.fround(value)) return false;
  }
  return Number.isFinite(Math.fround(sorted[0] ?? 0) + Math.fround(sorted.at(-1) ?? 0));
}
