/**
 * When garbage is looked for, in a server of large requests and many small summaries.
 *
 * Requests arrive as buffers outside of V8's heap, a few hundred kilobytes for a few objects on it.
 * V8 looks for garbage among young objects when these have filled a good part of their space, which
 * takes hundreds of requests; before that the buffers have grown by some 20 MiB, and it marks the
 * whole heap. That took a third of the CPU at full load. Looking far more often costs next to
 * nothing, because hardly any young object is still in use.
 *
 * What windows leave behind is garbage among old objects. V8 lets a heap grow to a multiple of what
 * is in use before it looks there: 20,000 signals used 90 MB of 420. Looking when it has grown by
 * half took them to 290 MB, for a few percent of the CPU of windows.
 */
import { setFlagsFromString } from "node:v8";

/** Percent of the young generation's space; V8's own value is 80. */
const TRIGGER_PERCENT = 4;
/** Percent of what is in use; V8's own value is up to 300. */
const GROWING_PERCENT = 30;

/** Has this process collect often enough for a receiver; belongs at its start. */
export function collectOften(): void {
  setFlagsFromString(`--minor-gc-task-trigger=${TRIGGER_PERCENT}`);
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
}
