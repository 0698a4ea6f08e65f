/**
 * The keys that spans are made of, found by their bytes: what {@link learn} has said of them, and
 * what the other side's KeyTable knew from the start. A cache: what it does not hold is asked for.
 *
 * A key hashes by its middle and its last eight bytes and its length, which tells the keys of one
 * template apart. Keys that hash alike all the same, because somebody wants the receiver to be
 * slow, cost {@link PROBES_MAX} looks and a question to the other side, which knows them by name.
 *
 * Nobody wants most keys; a bit for the first eight bytes of each that somebody does want turns
 * them away.
 */
import { allocate } from "./memory";

/** Says what a key is that starts like a template and is not here: its id, or -1; may remember. */
declare function learn(offset: i32, length: i32): i32;

/** What a reader gets for a key that nobody wants. */
export const KEY_UNWANTED: i32 = -1;

/** Half of the slots stay free; what looks like a template's key takes a quarter of the others. */
const SLOTS: usize = 16384;
const KEYS_MAX: i32 = 8192;
const UNWANTED_MAX: i32 = 2048;
const PROBES_MAX: i32 = 32;
const TEMPLATES_MAX: i32 = 32;
const EVENTS_MAX: i32 = 16;
const HASH_BITS: u64 = 50;
const HASH_WORD: u64 = 0x9e3779b97f4a7c15;

/**
 * A slot: the first, the middle and the last eight bytes, which are all of a key of up to 24; its
 * id and its length, 0 when the slot is free; and where all of its bytes are.
 */
const SLOT_BITS: usize = 5;
const MIDDLE: usize = 8;
const LAST: usize = 16;
const ID_LENGTH: usize = 24;
const BYTES: usize = 28;
const LENGTH_BITS: i32 = 9;
const LENGTH_MASK: u32 = (1 << LENGTH_BITS) - 1;
/** At a fixed place, so that its address is a constant. */
const slots: usize = memory.data(<i32>(SLOTS << SLOT_BITS), 32);

/** The first eight bytes of the templates' prefixes. */
const templates: usize = allocate(8 * TEMPLATES_MAX);
let templateCount: i32 = 0;
/** One bit for each hash of the first eight bytes of what is wanted, in 512 bytes. */
const LIKELY_BITS: u64 = 12;
const likely: usize = memory.data(1 << (12 - 3), 64);
/** Names of events: where the bytes are, how many, and the id. */
const EVENT_BYTES: i32 = 12;
const events: usize = allocate(EVENT_BYTES * EVENTS_MAX);
let eventCount: i32 = 0;
let keyCount: i32 = 0;
let unwantedCount: i32 = 0;
/** Where the body is: offsets count from there. */
let body: usize = 0;

/** Says where the body is that offsets refer to. */
export function setBody(at: usize): void {
  body = at;
}

/** Whether somebody may want the key: false turns most keys away at the price of a look. */
@inline
export function isLikely(at: usize, length: usize): bool {
  const bit = bitOf(length < 8 ? shortWord(at, length) : load<u64>(at));
  return <bool>((load<u64>(likely + ((bit >> 6) << 3)) >> (<u64>bit & 63)) & 1);
}

function setLikely(first: u64): void {
  const bit = bitOf(first);
  const place = likely + ((bit >> 6) << 3);
  store<u64>(place, load<u64>(place) | ((<u64>1) << (<u64>bit & 63)));
}

/** The id of the key at an address, or {@link KEY_UNWANTED}; the range lies within the body. */
@inline
export function lookup(at: usize, length: usize): i32 {
  if (length < 8) return lookupShort(at, length);
  const first = load<u64>(at);
  const middle = load<u64>(middleOf(at, length));
  const last = load<u64>(at + length - 8);
  const place = find(first, middle, last, length, at);
  if (place) return load<i32>(place, ID_LENGTH) >> LENGTH_BITS;
  return isTemplate(first) ? learn(<i32>(at - body), <i32>length) : KEY_UNWANTED;
}

/** A key of fewer than eight bytes is one word, and belongs to no template. */
function lookupShort(at: usize, length: usize): i32 {
  if (!length) return KEY_UNWANTED;
  const word = shortWord(at, length);
  const place = find(word, word, word, length, at);
  return place ? load<i32>(place, ID_LENGTH) >> LENGTH_BITS : KEY_UNWANTED;
}

/** The slot of a key, or 0. */
@inline
function find(first: u64, middle: u64, last: u64, length: usize, at: usize): usize {
  let slot = hash(middle, last, length);
  for (let probes = PROBES_MAX; probes > 0; probes--) {
    const place = slots + (slot << SLOT_BITS);
    const known = load<u32>(place, ID_LENGTH);
    if (!known) return 0;
    const differs =
      (load<u64>(place) ^ first) |
      (load<u64>(place, MIDDLE) ^ middle) |
      (load<u64>(place, LAST) ^ last) |
      <u64>((known & LENGTH_MASK) ^ <u32>length);
    if (!differs && (length <= 24 || sameBytes(at, load<u32>(place, BYTES), length))) return place;
    slot = (slot + 1) & (SLOTS - 1);
  }
  return 0;
}

/** All bytes but the last eight, which {@link find} has compared. */
function sameBytes(at: usize, known: usize, length: usize): bool {
  for (let offset: usize = 8; offset + 8 < length; offset += 8) {
    if (load<u64>(at + offset) != load<u64>(known + offset)) return false;
  }
  return true;
}

function isTemplate(first: u64): bool {
  for (let i = 0; i < templateCount; i++) {
    if (load<u64>(templates + ((<usize>i) << 3)) == first) return true;
  }
  return false;
}

/** Enters a key of the body; false when there is no room for it. */
export function remember(offset: i32, length: i32, id: i32): bool {
  if (<u32>length > LENGTH_MASK || keyCount == KEYS_MAX) return false;
  if (id < 0 && unwantedCount == UNWANTED_MAX) return false;
  const at = body + <usize>offset;
  const size = <usize>length;
  const short = size < 8;
  const first = short ? shortWord(at, size) : load<u64>(at);
  const last = short ? first : load<u64>(at + size - 8);
  const middle = short ? first : load<u64>(middleOf(at, size));
  const place = freeSlot(hash(middle, last, size));
  if (!place) return false;
  const bytes = allocate(size);
  memory.copy(bytes, at, size);
  store<u64>(place, first);
  store<u64>(place, middle, MIDDLE);
  store<u64>(place, last, LAST);
  store<i32>(place, (id << LENGTH_BITS) | length, ID_LENGTH);
  store<u32>(place, <u32>bytes, BYTES);
  if (id >= 0) setLikely(first);
  else unwantedCount++;
  keyCount++;
  return true;
}

/** Makes keys that begin with the eight bytes at the body's start a question to {@link learn}. */
export function rememberTemplate(): bool {
  if (templateCount == TEMPLATES_MAX) return false;
  const first = load<u64>(body);
  setLikely(first);
  store<u64>(templates + ((<usize>templateCount) << 3), first);
  templateCount++;
  return true;
}

/** Enters the name of an event, which is the whole body; false when there is no room for it. */
export function rememberEvent(length: i32, id: i32): bool {
  if (eventCount == EVENTS_MAX) return false;
  const bytes = allocate(<usize>length);
  memory.copy(bytes, body, <usize>length);
  const place = events + <usize>(EVENT_BYTES * eventCount);
  store<u32>(place, <u32>bytes);
  store<i32>(place, length, 4);
  store<i32>(place, id, 8);
  eventCount++;
  return true;
}

/** The id of an event's name, or {@link KEY_UNWANTED}; the range lies within the body. */
export function eventOf(at: usize, length: usize): i32 {
  for (let i = 0; i < eventCount; i++) {
    const place = events + <usize>(EVENT_BYTES * i);
    if (load<i32>(place, 4) != <i32>length) continue;
    if (!memory.compare(at, load<u32>(place), length)) return load<i32>(place, 8);
  }
  return KEY_UNWANTED;
}

function freeSlot(from: usize): usize {
  let slot = from;
  for (let probes = PROBES_MAX; probes > 0; probes--) {
    const place = slots + (slot << SLOT_BITS);
    if (!load<u32>(place, ID_LENGTH)) return place;
    slot = (slot + 1) & (SLOTS - 1);
  }
  return 0;
}

function middleOf(at: usize, length: usize): usize {
  return at + (length >> 1) - 4;
}

function hash(middle: u64, last: u64, length: usize): usize {
  return <usize>((((rotl<u64>(middle, 23) ^ last) + <u64>length) * HASH_WORD) >> HASH_BITS);
}

/** The bit of a key's first eight bytes. */
@inline
function bitOf(first: u64): usize {
  return <usize>((first * HASH_WORD) >> (64 - LIKELY_BITS));
}

/** Fewer than eight bytes as a word; the bytes behind them are not the key's. */
function shortWord(at: usize, length: usize): u64 {
  return load<u64>(at) & (((<u64>1) << ((<u64>length) << 3)) - 1);
}
