/** Where a call is counted, by the ids of what its span names: no string is looked up twice. */
import { isStage } from "@tidemark/semconv";
import type { LatencyHistogram } from "./latency-histogram.js";
import type { ObservedModel } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";

/** What spans of one model, version and stage have in common. */
export interface ModelCall {
  /** Interned strings; negative when absent. */
  readonly name: number;
  readonly version: number;
  readonly stage: number;
  readonly model: ObservedModel;
  /** Undefined when the stage is none that we know. */
  readonly latency: LatencyHistogram | undefined;
  /** Whether it is an answer of the model, which succeeds or fails. */
  readonly isInference: boolean;
}

/** A request passes a handful of models and stages; what collides is resolved anew. */
const PLACES = 256;

/** The calls that have lately been asked for. */
export class ModelCalls {
  private readonly state: ObserverState;
  private readonly places: (ModelCall | undefined)[] = Array.from({ length: PLACES });

  constructor(state: ObserverState) {
    this.state = state;
  }

  /**
   * The call of interned strings; a negative version or stage stands for none. Undefined when there
   * are too many models.
   */
  of(name: number, version: number, stage: number): ModelCall | undefined {
    const place = (name * 31 + version * 7 + stage) & (PLACES - 1);
    const known = this.places[place];
    if (known?.name === name && known.version === version && known.stage === stage) return known;
    const call = this.resolve(name, version, stage);
    if (call) this.places[place] = call;
    return call;
  }

  private resolve(name: number, version: number, stage: number): ModelCall | undefined {
    const model = this.state.model(name, version);
    if (model === undefined) return undefined;
    const text = this.state.strings.text(stage);
    const latency = isStage(text) ? model.latency(text) : undefined;
    return { name, version, stage, model, latency, isInference: text === "inference" };
  }
}
