/** A comparison in few numbers. */
import type { Comparison } from "#ui/comparison.js";
import type { Preview } from "#ui/documents.js";

/** Every third point of a curve is enough for its shape. */
const STEP = 3;
const BARS_MAX = 10;

/** The heights of two curves, or of paired bars where values are few. */
export function previewOf(comparison: Comparison): Preview {
  if (comparison.kind === "categorical") {
    const shown = comparison.categories.slice(0, BARS_MAX);
    return { ...barsOf(shown), medians: null };
  }
  const { atoms, referenceCurve, liveCurve, medians } = comparison;
  const inAtoms = atoms.reduce((sum, atom) => sum + atom.reference, 0);
  if (inAtoms > 0.5) return { ...barsOf(atoms.slice(0, BARS_MAX)), medians };
  const { density: reference } = referenceCurve;
  return { kind: "curves", reference: thin(reference), live: thin(liveCurve.density), medians };
}

function barsOf(
  pairs: readonly { readonly reference: number; readonly live: number }[],
): Omit<Preview, "medians"> {
  const side = (of: "reference" | "live") => pairs.map((pair) => pair[of]);
  return { kind: "bars", reference: side("reference"), live: side("live") };
}

function thin(values: readonly number[]): number[] {
  return values.filter((_, i) => i % STEP === 0);
}
