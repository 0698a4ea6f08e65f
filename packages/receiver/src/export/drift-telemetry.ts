/**
 * Findings as OTLP: a trace each, linked to predictions that show it, so that Jaeger leads from the
 * drift to what has drifted; and changes of verdicts as log records, for where logs are kept.
 */
import { ATTRIBUTES, DRIFT_EVENT, DRIFT_SPAN } from "@tidemark/semconv";
import type { DriftFinding } from "../drift-finding.js";
import { findingIds, isAlarm } from "../drift-finding.js";
import type { Exemplar } from "../exemplar.js";
import type { Labels } from "../metric-family.js";
import { TraceRequest } from "../otlp/schema.js";
import { keyValue, LogsRequest, unixNano } from "./telemetry-schema.js";

const SCOPE = { name: "@tidemark/receiver" };
const KIND_INTERNAL = 1;
const SEVERITY = { info: [9, "INFO"], warn: [13, "WARN"] } as const;
/** Links of one span; each is a prediction to look at. */
const LINKS_MAX = 16;

/** An `ExportTraceServiceRequest` with a trace for each finding. */
export function encodeDriftSpans(findings: readonly DriftFinding[], resource: Labels): Uint8Array {
  const spans = findings.map((finding) => {
    const { traceId, spanId } = findingIds(finding);
    // The moment at which the window was over: that is when whoever looks for it has looked.
    const timeUnixNano = unixNano(finding.endMs);
    return {
      traceId: Buffer.from(traceId, "hex"),
      spanId: Buffer.from(spanId, "hex"),
      name: DRIFT_SPAN,
      kind: KIND_INTERNAL,
      startTimeUnixNano: timeUnixNano,
      endTimeUnixNano: timeUnixNano,
      attributes: attributesOf(finding),
      links: finding.exemplars.slice(0, LINKS_MAX).map(linkOf),
    };
  });
  const scopeSpans = [{ scope: SCOPE, spans }];
  const resourceSpans = [{ resource: resourceOf(resource), scopeSpans }];
  return TraceRequest.encode(TraceRequest.fromObject({ resourceSpans })).finish();
}

/** An `ExportLogsServiceRequest` with a record for each finding. */
export function encodeDriftEvents(
  findings: readonly DriftFinding[],
  resource: Labels,
  nowMs: number,
): Uint8Array {
  const logRecords = findings.map((finding) => {
    const { traceId, spanId } = findingIds(finding);
    const [severityNumber, severityText] = isAlarm(finding.status) ? SEVERITY.warn : SEVERITY.info;
    return {
      timeUnixNano: unixNano(finding.endMs),
      observedTimeUnixNano: unixNano(nowMs),
      severityNumber,
      severityText,
      eventName: DRIFT_EVENT,
      body: { stringValue: finding.sentence },
      attributes: attributesOf(finding),
      traceId: Buffer.from(traceId, "hex"),
      spanId: Buffer.from(spanId, "hex"),
    };
  });
  const scopeLogs = [{ scope: SCOPE, logRecords }];
  const resourceLogs = [{ resource: resourceOf(resource), scopeLogs }];
  return LogsRequest.encode(LogsRequest.fromObject({ resourceLogs })).finish();
}

function resourceOf(labels: Labels): object {
  return { attributes: Object.entries(labels).map(([key, value]) => keyValue(key, value)) };
}

function attributesOf(finding: DriftFinding): object[] {
  const { signal, startMs, endMs } = finding;
  const { modelName, modelVersion, driftLiveCount, driftReferenceCount } = ATTRIBUTES;
  const texts = [
    [modelName.name, signal.model],
    [modelVersion.name, signal.version],
    [ATTRIBUTES.driftSignal.name, signal.name],
    [ATTRIBUTES.driftSegment.name, signal.segment],
    [ATTRIBUTES.driftStatus.name, finding.status],
    [ATTRIBUTES.driftStatusBefore.name, finding.before],
    [ATTRIBUTES.driftWindow.name, finding.window],
    [ATTRIBUTES.driftWindowStart.name, new Date(startMs).toISOString()],
    [ATTRIBUTES.driftWindowEnd.name, new Date(endMs).toISOString()],
    [ATTRIBUTES.driftReference.name, finding.reference],
    [ATTRIBUTES.driftMethod.name, finding.method],
  ] as const;
  const numbers = [
    [ATTRIBUTES.driftScore.name, finding.score],
    [ATTRIBUTES.driftThreshold.name, finding.threshold],
    [ATTRIBUTES.driftPValue.name, finding.pValue],
  ] as const;
  return [
    ...texts.filter(([, text]) => text !== "").map(([key, text]) => keyValue(key, text)),
    ...numbers.filter(([, value]) => Number.isFinite(value)).map((pair) => keyValue(...pair)),
    keyValue(driftLiveCount.name, finding.liveCount, true),
    keyValue(driftReferenceCount.name, finding.referenceCount, true),
  ];
}

function linkOf({ traceId, spanId, value }: Exemplar): object {
  return {
    traceId: Buffer.from(traceId, "hex"),
    spanId: Buffer.from(spanId, "hex"),
    attributes: [keyValue(ATTRIBUTES.driftExemplarValue.name, value)],
  };
}
