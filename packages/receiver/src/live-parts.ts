/** What a changed configuration reaches without a restart. */
import type { Config } from "./config/schema.js";
import type { Evaluator } from "./evaluate/evaluator.js";
import type { Logger } from "./logger.js";
import type { Observer } from "./observe/observer.js";
import { PreparedPast } from "./observe/prepared-past.js";
import { configuredReferences } from "./references/configured-references.js";
import { ReferenceBook } from "./references/reference-book.js";

/** What a changed configuration reaches while the receiver runs. */
export interface LiveParts {
  readonly book: ReferenceBook;
  readonly past: PreparedPast;
  readonly learn: { samples: number; spanMs: number };
  readonly logger: Logger;
}

/** The parts as a configuration has them. @throws ReferenceFileError when a reference is no use */
export function createLiveParts({ processors }: Config, logger: Logger): LiveParts {
  const { files, rules } = configuredReferences(processors.references);
  const past = new PreparedPast();
  const { samples, span: spanMs } = processors.learn;
  return { book: new ReferenceBook(files, rules, past), past, learn: { samples, spanMs }, logger };
}

/**
 * Takes up the keys of a configuration that need no restart: those of config/live-keys.ts.
 * @throws ReferenceFileError when a reference is no use; nothing has changed then
 */
export function takeUp(
  config: Config,
  live: LiveParts,
  observer: Observer,
  evaluator: Evaluator,
): void {
  const { references, learn, evaluate } = config.processors;
  const { files, rules } = configuredReferences(references);
  live.book.replace(files, rules);
  live.learn.samples = learn.samples;
  live.learn.spanMs = learn.span;
  live.logger.useLevel(config.service.telemetry.logs.level);
  evaluator.usePromise(evaluate);
  observer.useReferences();
}
