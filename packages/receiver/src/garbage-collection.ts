/**
 * When V8 looks for garbage. Both are about memory that is not the young heap's.
 *
 * Requests arrive as buffers outside of V8's heap, a few hundred kilobytes for a few objects on it.
 * V8 looks for garbage among young objects when these have filled a good part of their space, which
 * takes hundreds of requests; before that the buffers have grown by some 20 MiB, and it marks the
 * whole heap. That took a third of the CPU at full load. Looking far more often costs next to
 * nothing, because hardly any young object is still in use.
 *
 * What lasts is signals: a gigabyte for a hundred thousand, and little of it becomes garbage. V8
 * would let the old heap grow by a half or more before it looks; here it may by a fifth.
 */
import { setFlagsFromString } from "node:v8";

/** Percent of the young generation's space; V8's own value is 80. */
const TRIGGER_PERCENT = 4;
/** Percent of what was in use after the last look; V8's own value depends on its speed. */
const GROWTH_PERCENT = 20;

/** Has this process collect garbage as suits a server of large bodies and many lasting objects. */
export function tuneGarbageCollection(): void {
  setFlagsFromString(`--minor-gc-task-trigger=${TRIGGER_PERCENT}`);
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
