/** A learned reference as text, for the state that survives a restart. */
import { CategoryCounts, ReferenceGrid } from "@tidemark/stats";
import type { Reference } from "./reference.js";
import { LEARNED } from "./reference.js";

/** The form of a reference inside an item. */
export interface ReferenceItem {
  readonly kind: Reference["kind"];
  readonly name: string;
  readonly provisional: boolean;
  readonly missing: number;
  readonly rate?: boolean;
  /** Base64 of the summary. */
  readonly summary: string;
}

/** A learned reference as plain data, whatever rule of the configuration goes by it now. */
export function encodeReference(reference: Reference): ReferenceItem {
  const { kind, provisional, missing } = reference;
  const summary = kind === "numeric" ? reference.grid : reference.categories;
  const bytes = Buffer.from(summary.serialise());
  const rate = reference.kind === "categorical" && reference.rate ? { rate: true } : {};
  return { kind, name: LEARNED, provisional, missing, ...rate, summary: bytes.toString("base64") };
}

/** @throws SummaryFormatError when the summary is damaged */
export function decodeReference({ kind, summary, rate, ...origin }: ReferenceItem): Reference {
  const bytes = Buffer.from(summary, "base64");
  return kind === "numeric"
    ? { ...origin, kind, grid: ReferenceGrid.deserialise(bytes) }
    : {
        ...origin,
        kind,
        categories: CategoryCounts.deserialise(bytes),
        ...(rate ? { rate } : {}),
      };
}
