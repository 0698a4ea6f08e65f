/**
 * The instance's memory, which is given away in rising order. Nothing is freed; what grows
 * doubles, so that what it leaves behind is less than what it is. The owner throws the instance
 * away when a large body has made it large (src/otlp/trace-reader.ts).
 */

const PAGE_BITS: usize = 16;
const ALIGNMENT: usize = 16;

let top: usize = __heap_base;

/** Room for `bytes`. Traps when memory is exhausted. */
export function allocate(bytes: usize): usize {
  const at = (top + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  take(at, bytes);
  return at;
}

/** Room for `bytes` in place of fewer: the same place, if nothing has been allocated since. */
export function extend(at: usize, before: usize, bytes: usize): usize {
  if (at + before != top) return allocate(bytes);
  take(at, bytes);
  return at;
}

function take(at: usize, bytes: usize): void {
  const end = at + bytes;
  if (end < at) unreachable();
  const pages = <i32>((end + (1 << PAGE_BITS) - 1) >> PAGE_BITS) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
  top = end;
}
