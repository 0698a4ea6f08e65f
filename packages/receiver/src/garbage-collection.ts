/**
 * When garbage is looked for, in a server of large requests and many small summaries.
 *
 * Requests arrive as buffers outside of V8's heap, a few hundred kilobytes for a few objects on it.
 * V8 looks for garbage among young objects when these have filled a good part of their space, which
 * takes hundreds of requests; before that the buffers have grown by some 20 MiB, and it marks the
 * whole heap. That took a third of the CPU at full load. Looking far more often costs next to
 * nothing, because hardly any young object is still in use.
 *
 * What windows leave behind is garbage among old objects, where V8 looks when the heap is some
 * times what is in use. A large heap is let grow by a third only, which for a hundred thousand
 * signals is the difference between 2 GiB and 1.5. A small one is not: it would take a fifth of
 * the CPU of windows.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Percent of the young generation's space; V8's own value is 80. */
const TRIGGER_PERCENT = 4;
/** Percent of what is in use; 0 for V8's own rule. */
const LARGE_GROWS_PERCENT = 30;
const LARGE_BYTES = 320 * 1024 * 1024;
const LOOK_MS = 1000;

/** Has this process collect as often as a receiver should; belongs at its start. */
export function collectOften(): void {
  setFlagsFromString(`--minor-gc-task-trigger=${TRIGGER_PERCENT}`);
  let percent = 0;
  const look = () => {
    const wanted = getHeapStatistics().used_heap_size > LARGE_BYTES ? LARGE_GROWS_PERCENT : 0;
    if (wanted === percent) return;
    percent = wanted;
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  setInterval(look, LOOK_MS).unref();
}
