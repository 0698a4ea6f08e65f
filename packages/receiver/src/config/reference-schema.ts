/** The list `processors.references`: what live values are compared with. */
import { z } from "zod";
import { optionalDuration } from "./fields.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Hours of the past are kept for five weeks. */
const PAST_MS_MAX = 35 * DAY_MS;
const WEEKS_MAX = 5;
const KINDS = ["file", "rolling", "sameHour", "against"] as const;

/** A part of the traffic; whatever is left out is any. */
const traffic = {
  model: z.string().min(1).optional(),
  version: z.string().min(1).optional(),
  /** As in metrics and verdicts, such as `region=eu`. */
  segment: z.string().min(1).optional(),
  /** Names of signals; a `*` at the end stands for any rest. */
  signals: z.array(z.string().min(1)).min(1).max(1000).optional(),
};

const entry = z.strictObject({
  /** A `*.tidemark.json`, relative to the configuration file. */
  file: z.string().min(1).optional(),
  /** The last days before the newest ones. */
  rolling: optionalDuration(HOUR_MS, PAST_MS_MAX, "7d"),
  /** How much of the newest a rolling reference leaves out. */
  excluding: optionalDuration(0, PAST_MS_MAX, "1d"),
  /** The same hours of the week, over so many weeks. */
  sameHour: z.int().min(1).max(WEEKS_MAX).optional(),
  /** What another version, or another segment, says at the same time. */
  against: z
    .strictObject({ version: z.string().min(1).optional(), segment: z.string().optional() })
    .optional(),
  ...traffic,
});

type Entry = z.infer<typeof entry>;

/** One entry of the list; exactly one of the four kinds. */
export const reference = entry.superRefine((given, context) => {
  const message = complaint(given);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

function complaint(given: Entry): string | undefined {
  const kinds = KINDS.filter((key) => given[key] !== undefined);
  const [kind] = kinds;
  if (kinds.length !== 1) {
    const found = kinds.length === 0 ? "none of them" : kinds.join(" and ");
    return `needs one of ${KINDS.join(", ")}, and has ${found}`;
  }
  const keys = Object.values(given).filter((value) => value !== undefined);
  if (kind === "file" && keys.length > 1) {
    return "takes nothing beside file: what the reference is of stands in the file";
  }
  if (given.excluding !== undefined && kind !== "rolling")
    return "takes excluding with rolling only";
  if (given.against === undefined) return undefined;
  const { version, segment } = given.against;
  if ((version === undefined) === (segment === undefined)) {
    return "against needs a version or a segment";
  }
  const own = version === undefined ? given.segment : given.version;
  const what = version === undefined ? "segment" : "version";
  if (own === undefined) return `needs the ${what} that is compared with the other ${what}`;
  return own === (version ?? segment) ? `compares a ${what} with itself` : undefined;
}

/** An entry that has been checked. */
export type ReferenceEntry = z.infer<typeof reference>;
