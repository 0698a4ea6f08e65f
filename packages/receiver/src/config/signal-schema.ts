/** Signals that users declare of attributes that no convention knows. */
import { z } from "zod";

const NAME_BYTES_MAX = 256;

/** An attribute's key. */
export const attributeName = z
  .string("must be the name of an attribute")
  .min(1)
  .refine((name) => Buffer.byteLength(name) <= NAME_BYTES_MAX && !name.includes("\0"), {
    error: `must have at most ${NAME_BYTES_MAX} bytes, and no NUL`,
  });

const word = z.union([z.string(), z.number(), z.boolean()]).transform(String);

const KINDS = ["numeric", "category", "rate", "text-length"] as const;

/** One entry of `processors.signals`. */
export const declaredSignal = z
  .strictObject({
    /** The attribute, of the span, its scope or its resource. */
    attribute: attributeName.optional(),
    /** Instead of an attribute: what is measured of the span itself. */
    span: z.enum(["duration", "status"]).optional(),
    /** Of durations numeric, and of the status the rate of errors, unless said otherwise. */
    as: z.enum(KINDS).optional(),
    /** With a rate: the values whose share it is; true, or any number but 0, when left out. */
    equals: z.union([word.transform((one) => [one]), z.array(word).min(1).max(100)]).optional(),
    /** The only model that has it, which spans that name no model then belong to. */
    model: z.string().min(1).optional(),
    /** What the signal is called; the attribute when left out. */
    name: z.string().min(1).max(NAME_BYTES_MAX).optional(),
  })
  .transform(({ attribute, span, as, equals, model, name }, context) => {
    const complain = (message: string, key: string) => {
      context.addIssue({ code: "custom", message, path: [key] });
      return z.NEVER;
    };
    if (attribute === undefined && span === undefined) {
      return complain("must be given, unless there is span: duration or span: status", "attribute");
    }
    if (attribute !== undefined && span !== undefined) {
      return complain(
        "a signal is of an attribute or of the span, not both; leave one out",
        "span",
      );
    }
    if (span !== undefined) {
      const only = span === "duration" ? "numeric" : "rate";
      if (as !== undefined && as !== only) {
        return complain(`span: ${span} is always ${only}; leave "as" out`, "as");
      }
      const of = { span };
      return { of, as: only, equals: undefined, model, name: name ?? `span.${span}` } as const;
    }
    if (as === undefined) {
      return complain(`must be one of ${KINDS.join(", ")}`, "as");
    }
    if (equals !== undefined && as !== "rate") {
      return complain(`is for rates only; write as: rate, or leave it out`, "equals");
    }
    const of = { attribute: attribute as string };
    return { of, as, equals, model, name: name ?? of.attribute };
  });
