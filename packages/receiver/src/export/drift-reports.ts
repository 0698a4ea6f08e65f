/**
 * Tells of findings: hands their spans and events to the log, which keeps them like anything that
 * was received, so that they are forwarded by the same rules.
 */
import { METRICS } from "@tidemark/semconv";
import type { DriftFinding } from "../drift-finding.js";
import type { OtlpSignal } from "../log/log-record.js";
import type { Logger } from "../logger.js";
import type { Labels, MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { Stage } from "../stage.js";
import { encodeDriftEvents, encodeDriftSpans } from "./drift-telemetry.js";

/** Findings that may wait: those of a thousand models that drift in ten features each. */
const WAITING_MAX = 10_000;
/** Findings of one body: about half a megabyte with all links. */
const AT_ONCE = 200;

/** What the stage works with. */
export interface DriftReportParts {
  /** What somebody wants: spans where traces are forwarded, events where logs are. */
  readonly signals: readonly OtlpSignal[];
  readonly resource: Labels;
  /** Puts a body into the log. @throws when the log cannot take it */
  readonly append: (signal: OtlpSignal, body: Uint8Array) => void;
  readonly now: () => number;
  readonly logger: Logger;
}

/** The stage behind evaluate that others hear of. */
export class DriftReports implements Stage {
  private readonly parts: DriftReportParts;
  private readonly outcomes = new CounterSet([{ outcome: "told" }, { outcome: "dropped" }]);
  private readonly waiting: DriftFinding[] = [];
  private started = false;
  private scheduled: NodeJS.Immediate | undefined;

  constructor(parts: DriftReportParts) {
    this.parts = parts;
  }

  /** What was found while the log was replayed is told now. */
  async start(): Promise<void> {
    this.started = true;
    this.schedule();
  }

  async shutdown(): Promise<void> {
    if (!this.started) return;
    clearImmediate(this.scheduled);
    this.tell();
    this.started = false;
  }

  metrics(): MetricFamily[] {
    return [{ definition: METRICS.receiverFindings, points: this.outcomes.snapshot() }];
  }

  /** Takes note; it is told when whoever found it has finished. */
  consume(finding: DriftFinding): void {
    if (this.parts.signals.length === 0) return;
    if (this.waiting.length < WAITING_MAX) this.waiting.push(finding);
    else this.outcomes.add({ outcome: "dropped" });
    this.schedule();
  }

  private schedule(): void {
    if (!this.started || this.waiting.length === 0) return;
    this.scheduled ??= setImmediate(() => {
      this.scheduled = undefined;
      this.tell();
    });
  }

  private tell(): void {
    while (this.waiting.length > 0) {
      const findings = this.waiting.splice(0, AT_ONCE);
      try {
        this.append(findings);
        this.outcomes.add({ outcome: "told" }, findings.length);
      } catch (error) {
        this.outcomes.add({ outcome: "dropped" }, findings.length);
        const { message: reason } = error as Error;
        this.parts.logger.error("findings could not be told", { count: findings.length, reason });
      }
    }
  }

  private append(findings: readonly DriftFinding[]): void {
    const { signals, resource, append, now } = this.parts;
    if (signals.includes("traces")) {
      append("traces", encodeDriftSpans(findings, resource));
    }
    const changes = findings.filter(({ status, before }) => status !== before);
    if (signals.includes("logs") && changes.length > 0) {
      append("logs", encodeDriftEvents(changes, resource, now()));
    }
  }
}
