/**
 * Requests arrive as buffers outside of V8's heap, a few hundred kilobytes for a few objects on it.
 * V8 looks for garbage among young objects when these have filled a good part of their space, which
 * takes hundreds of requests; before that the buffers have grown by some 20 MiB, and it marks the
 * whole heap. That took a third of the CPU at full load. Looking far more often costs next to
 * nothing, because hardly any young object is still in use.
 */
import { setFlagsFromString } from "node:v8";

/** Percent of the young generation's space; V8's own value is 80. */
const TRIGGER_PERCENT = 4;

/** Has the young generation of this process collected often enough for a server of large bodies. */
export function collectYoungOften(): void {
  setFlagsFromString(`--minor-gc-task-trigger=${TRIGGER_PERCENT}`);
}
