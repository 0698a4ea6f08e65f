/* oxlint-disable no-underscore-dangle -- the base class names its protected methods so */
/**
 * Spans for ONNX Runtime. What is patched is the class in `onnxruntime-common`, which
 * `onnxruntime-node` requires as CommonJS even in an app of ES modules: `--require` is enough.
 */
import type { Attributes, Span } from "@opentelemetry/api";
import type { InstrumentationModuleDefinition } from "@opentelemetry/instrumentation";
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  isWrapped,
} from "@opentelemetry/instrumentation";
import { ATTRIBUTES } from "@tidemark/semconv";
import type { InferenceSession } from "onnxruntime-common";
import { guarded } from "../complain.js";
import { DEFAULT_CONFIG } from "../default-config.js";
import { activeContext, contextOf, mayRecord, startSpan, withContext } from "../host-api.js";
import type { LibraryOptions } from "../library-options.js";
import { ModelVersions } from "../model-versions.js";
import { observeCall } from "../observe-call.js";
import { isWithinLibrary } from "../recorded-call.js";
import { requestScope } from "../request-scope.js";
import { failSpan } from "../span-error.js";
import { DeclaredModels } from "./declared-models.js";
import { identifyModel } from "./model-identity.js";
import type { Signature } from "./session-recorder.js";
import { SessionRecorder } from "./session-recorder.js";

const FRAMEWORK = "onnxruntime";
const MS_PER_S = 1000;
/** The class is in `onnxruntime-common`, but for bundles, which hold a copy of it. */
const ORT_MODULES = ["onnxruntime-common", "onnxruntime-web"];
const ORT_VERSIONS = [">=1.14.0 <2"];

type SessionClass = typeof InferenceSession & { readonly prototype: InferenceSession };
/** Notes on a span how long its run has waited. */
type QueueClock = (span: Span) => void;
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** One span for every `InferenceSession.run`. */
export class OnnxruntimeInstrumentation extends InstrumentationBase<LibraryOptions> {
  constructor(options: LibraryOptions = {}) {
    super("@tidemark/instrumentation/onnxruntime", "0.0.0", options);
  }

  // The base constructor calls this before the fields of a subclass exist: it uses none.
  protected override init(): InstrumentationModuleDefinition[] {
    const patch = (exports: { InferenceSession?: SessionClass }) => {
      guarded("instrumenting onnxruntime", () => this.patch(exports.InferenceSession));
      return exports;
    };
    const unpatch = (exports: { InferenceSession?: SessionClass }) => {
      guarded("restoring onnxruntime", () => this.unpatch(exports.InferenceSession));
    };
    return ORT_MODULES.map((name) => {
      const module = new InstrumentationNodeModuleDefinition(name, ORT_VERSIONS, patch, unpatch);
      const definition: InstrumentationModuleDefinition = module;
      definition.includePrerelease = true;
      return definition;
    });
  }

  private patch(session: SessionClass | undefined): void {
    // The same class is seen once more where a package passes it on.
    if (session === undefined || isWrapped(session.create)) return;
    const recorders = new WeakMap<object, SessionRecorder>();
    const options = this.getConfig();
    const settings = options.declared ?? DEFAULT_CONFIG;
    const versions = options.versions ?? new ModelVersions();
    const models = options.models ?? new DeclaredModels(settings.models);
    const recorderOf = (created: object, args: readonly unknown[]) => {
      const identity = identifyModel(args, models, versions);
      return new SessionRecorder(identity, signatureOf(created), settings.limits, FRAMEWORK);
    };
    const fallback = (created: object) => {
      const recorder = recorderOf(created, []);
      recorders.set(created, recorder);
      return recorder;
    };
    this._wrap(session, "create", (original) => {
      const create = original as unknown as AnyFunction;
      const patched: AnyFunction = function (...args) {
        return observeCall(() => create.apply(this, args), {
          failed: () => undefined,
          succeeded(created) {
            if (typeof created !== "object" || created === null) return;
            recorders.set(created, recorderOf(created, args));
          },
        });
      };
      return patched as unknown as typeof original;
    });
    this._wrap(session.prototype, "run", (original) => {
      const run = original as unknown as AnyFunction;
      const patched: AnyFunction = function (...args) {
        const call = () => run.apply(this, args);
        const recorder =
          recorders.get(this as object) ??
          guarded("recognising a session", () => fallback(this as object));
        return recorder === undefined ? call() : recordRun(recorder, args[0], call);
      };
      return patched as unknown as typeof original;
    });
  }

  private unpatch(session: SessionClass | undefined): void {
    if (session === undefined) return;
    this._unwrap(session, "create");
    this._unwrap(session.prototype, "run");
  }
}

/** Inputs and outputs as the session states them; older runtimes state only the inputs' names. */
function signatureOf(session: object): Signature {
  const { inputMetadata, inputNames = [], outputNames = [] } = session as Partial<InferenceSession>;
  return { inputs: inputMetadata ?? inputNames.map((name) => ({ name })), outputs: outputNames };
}

function recordRun(recorder: SessionRecorder, feeds: unknown, call: () => unknown): unknown {
  const started = guarded("starting an inference span", () => startRun(recorder, feeds));
  if (started === undefined) return call();
  const { span, context, batch, queue } = started;
  return observeCall(() => withContext(context, call), {
    succeeded(results) {
      if (batch) {
        const outputs = guarded("reading outputs", () => recorder.outputs(results, batch));
        if (outputs) span.setAttributes(outputs);
      }
      queue?.(span);
      span.end();
    },
    failed(error) {
      failSpan(span, error, !recorder.takesText);
      queue?.(span);
      span.end();
    },
  });
}

function startRun(recorder: SessionRecorder, feeds: unknown) {
  const active = activeContext();
  // A session that a library runs is its model, which has a span, or its arithmetic.
  if (isWithinLibrary(active)) return undefined;
  const attributes: Attributes = {
    ...recorder.modelAttributes(),
    ...requestScope(active)?.attributes,
  };
  const batch = mayRecord(active)
    ? guarded("reading inputs", () => recorder.inputs(feeds, attributes))
    : undefined;
  const span = startSpan(recorder.spanName, { attributes }, active);
  if (span === undefined) return undefined;
  const context = contextOf(span, active);
  if (!span.isRecording()) return { span, context, batch: undefined, queue: undefined };
  return { span, context, batch, queue: startQueueClock() };
}

/**
 * How long a run waits for the event loop. `run` hands the native call to `setImmediate`; an
 * immediate that is set just before fires just before it, because immediates keep their order.
 */
function startQueueClock(): QueueClock {
  const startedMs = performance.now();
  let waitedMs: number | undefined;
  setImmediate(() => {
    waitedMs = performance.now() - startedMs;
  });
  return (span) => {
    if (waitedMs !== undefined)
      span.setAttribute(ATTRIBUTES.queueDuration.name, waitedMs / MS_PER_S);
  };
}
