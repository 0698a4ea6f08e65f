/** All that observe knows between two spans: models and their signals, time, and recent spans. */
import type { KeyTable } from "../otlp/key-table.js";
import { ByteInterner } from "./byte-interner.js";
import type { ModelOptions, ObservedSignal } from "./observed-model.js";
import { ObservedModel } from "./observed-model.js";
import { RecentSpans } from "./recent-spans.js";
import { signalName } from "./signal-name.js";
import { Watermark } from "./watermark.js";
import { WindowSchedule } from "./window-schedule.js";

/** Strings that are told apart: models, versions, stages, categories. About 20 MB when full. */
const STRINGS_MAX = 65_536;
/** Model ids and version ids are below 2^16, so a pair fits a safe integer key. */
const VERSION_FACTOR = STRINGS_MAX;
const encoder = new TextEncoder();

/** The observer's part of the configuration. */
export interface ObserverOptions extends Omit<ModelOptions, "windowCount"> {
  readonly paneMs: number;
  /** Ascending; each a multiple of the one before, the first one of the pane. */
  readonly windowsMs: readonly number[];
  readonly allowedLatenessMs: number;
  readonly idleTimeoutMs: number;
  /** Signals over all models; values of further ones are counted and dropped. */
  readonly signalsMax: number;
  /** Spans that are remembered, so that one that is delivered again is not counted again. */
  readonly recentSpans: number;
}

/** Owned by the observer; stored and restored by `observer-checkpoint.ts`. */
export class ObserverState {
  readonly strings = new ByteInterner(STRINGS_MAX);
  readonly models = new Map<number, ObservedModel>();
  readonly schedule: WindowSchedule;
  readonly watermark: Watermark;
  readonly recentSpans: RecentSpans;
  readonly keys: KeyTable;
  /** The last batch that has been counted. */
  sequence = 0;
  signalCount = 0;
  private readonly options: ObserverOptions;

  constructor(options: ObserverOptions, keys: KeyTable) {
    this.options = options;
    this.keys = keys;
    this.schedule = new WindowSchedule(options.paneMs, options.windowsMs);
    this.watermark = new Watermark(options.allowedLatenessMs, options.idleTimeoutMs);
    this.recentSpans = new RecentSpans(options.recentSpans);
  }

  /** The model of interned strings; a negative version stands for none. */
  model(name: number, version: number): ObservedModel {
    const id = name * VERSION_FACTOR + (version < 0 ? VERSION_FACTOR - 1 : version);
    let model = this.models.get(id);
    if (model === undefined) {
      const { windowsMs, learn, reference } = this.options;
      const options = { windowCount: windowsMs.length, learn, reference };
      model = new ObservedModel(this.strings.text(name), this.strings.text(version), options);
      this.models.set(id, model);
    }
    return model;
  }

  /** The same by name. */
  modelNamed(name: string, version: string): ObservedModel {
    return this.model(this.intern(name), version === "" ? -1 : this.intern(version));
  }

  /** A signal that is new; undefined when there are too many. */
  addSignal(model: ObservedModel, key: number, role: number): ObservedSignal | undefined {
    if (this.signalCount >= this.options.signalsMax) return undefined;
    this.signalCount++;
    return model.addSignal(key, role, signalName(role, this.keys.known(key).suffix));
  }

  private intern(text: string): number {
    const bytes = encoder.encode(text);
    return this.strings.intern(new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
  }
}
