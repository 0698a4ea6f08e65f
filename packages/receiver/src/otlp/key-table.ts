/**
 * The attribute keys that somebody wants, compiled so that a reader can ask for a key by its bytes
 * alone: neither a string nor an object is made for a key, wanted or not.
 *
 * A key hashes by its last four bytes and its length; a hit is verified over all of its bytes,
 * eight at a time as doubles: no eight bytes of valid UTF-8 without NUL are a NaN or a zero, so
 * equal doubles mean equal bytes. Keys of fewer than eight bytes go through a Map. Keys under a
 * template (`ml.feature.<name>`) enter the table when they are first seen, up to
 * {@link KeyTable.keysMax}; beyond that they all map to one overflow key.
 *
 * Keys that end alike hash alike, by chance or because somebody wants the receiver to be slow. A
 * lookup looks at {@link PROBES_MAX} slots; what finds no slot among so many is found by its name.
 */

/** What a reader gets for a key that nobody wants. */
export const KEY_UNWANTED = -1;

/** A key, or a prefix when `template` is true, and the number its consumer knows it by. */
export interface WantedKey {
  readonly name: string;
  readonly template: boolean;
  /** The consumer's own number, such as an index into its handlers. */
  readonly role: number;
}

/** A key of the table, by its id. */
export interface KnownKey {
  readonly name: string;
  readonly role: number;
  /** For a template the part after the prefix, else empty. */
  readonly suffix: string;
}

const SLOTS_INITIAL = 256;
const SLOT_SIZE = 4;
const WORD_BYTES = 8;
const PREFIX_SLOTS = 64;
const PROBES_MAX = 32;
const HASH_WORD = 0x9e3779b1;
/** 4,096 keys of at most 256 bytes: about 1 MB. */
const KEYS_MAX_DEFAULT = 4096;
const KEY_BYTES_MAX = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Maps the bytes of attribute keys to small integers. */
export class KeyTable {
  /** How many keys may be known; template keys beyond it share one overflow key per role. */
  readonly keysMax: number;
  /** Keys under a template that found no room, counted per occurrence. */
  overflowCount = 0;

  private readonly keys: KnownKey[] = [];
  /** Roles by id, beside `keys` so that a reader of values need not touch an object. */
  private readonly roles: number[] = [];
  private readonly templates: { prefix: Uint8Array; key: WantedKey; overflowId: number }[] = [];
  /**
   * Open addressing, linear probing, four numbers a slot so that a probe touches one cache line:
   * key id + 1 (0 when free, -1 when known to be unwanted), last word, length, start in `words`.
   */
  private slots = new Int32Array(SLOTS_INITIAL * SLOT_SIZE);
  private slotShift = 32 - Math.log2(SLOTS_INITIAL);
  private slotCount = 0;
  /** The keys' bytes as doubles, each key from its own start; the last one may overlap. */
  private words = new Float64Array(1024);
  private wordCount = 0;
  /** First words of the templates' prefixes: a cheap test before the prefixes are compared. */
  private readonly prefixWord = new Int32Array(PREFIX_SLOTS);
  private readonly shortKeys = new Map<string, number>();
  /** Keys that found no slot. */
  private readonly crowdedKeys = new Map<string, number>();

  /**
   * @param unwanted keys that look as if they belonged to a template, and do not
   * @throws TypeError when a template's prefix is shorter than eight bytes or a key is too long.
   */
  constructor(
    wanted: readonly WantedKey[],
    unwanted: readonly string[] = [],
    keysMax = KEYS_MAX_DEFAULT,
  ) {
    this.keysMax = keysMax;
    for (const name of unwanted) this.insert(encoder.encode(name), -1);
    for (const key of wanted) {
      if (key.template) this.addTemplate(key);
      else this.addKey({ name: key.name, role: key.role, suffix: "" });
    }
  }

  /** Keys known so far; ids are 0 to `size - 1`. */
  get size(): number {
    return this.keys.length;
  }

  /** The key of an id that {@link lookup} returned. */
  known(id: number): KnownKey {
    const key = this.keys[id];
    if (key === undefined) throw new RangeError(`no key has the id ${id}`);
    return key;
  }

  /** The role of a key that {@link lookup} returned. */
  roleOf(id: number): number {
    return this.roles[id] as number;
  }

  /**
   * The id of a role's key; for a template of the key with that name after the prefix, which is
   * learned when it is new.
   */
  idOf(role: number, suffix: string): number {
    const template = this.templates.find(({ key }) => key.role === role);
    if (template === undefined) return this.keys.findIndex((key) => key.role === role);
    const bytes = encoder.encode(template.key.name + suffix);
    return this.lookup(bytes, new DataView(bytes.buffer), 0, bytes.length);
  }

  /**
   * The id of the key at [start, start + length), or {@link KEY_UNWANTED}.
   * The caller has checked that the range lies within the bytes.
   */
  lookup(bytes: Uint8Array, view: DataView, start: number, length: number): number {
    if (length < WORD_BYTES) return this.lookupShort(bytes, start, length);
    const { slots } = this;
    const word = view.getInt32(start + length - 4, true);
    let at = (hashKey(word, length) >>> this.slotShift) * SLOT_SIZE;
    for (let probes = 0; probes < PROBES_MAX; probes++) {
      const id = slots[at] as number;
      if (id === 0) break;
      if (
        slots[at + 1] === word &&
        slots[at + 2] === length &&
        this.sameWords(view, start, length, slots[at + 3] as number)
      ) {
        return id > 0 ? id - 1 : KEY_UNWANTED;
      }
      at = (at + SLOT_SIZE) & (slots.length - 1);
    }
    const first = view.getInt32(start, true);
    if (this.prefixWord[hashWord(first)] !== first) return KEY_UNWANTED;
    return this.learn(bytes, start, length);
  }

  private sameWords(view: DataView, start: number, length: number, wordsAt: number): boolean {
    const { words } = this;
    const last = start + length - WORD_BYTES;
    let at = wordsAt;
    for (let offset = start; offset < last; offset += WORD_BYTES) {
      if (view.getFloat64(offset, true) !== words[at++]) return false;
    }
    return view.getFloat64(last, true) === words[at];
  }

  private lookupShort(bytes: Uint8Array, start: number, length: number): number {
    if (this.shortKeys.size === 0) return KEY_UNWANTED;
    let name = "";
    for (let i = 0; i < length; i++) name += String.fromCharCode(bytes[start + i] as number);
    return this.shortKeys.get(name) ?? KEY_UNWANTED;
  }

  /** A key that starts like a template: enters the table as that template's, or as unwanted. */
  private learn(bytes: Uint8Array, start: number, length: number): number {
    const key = bytes.subarray(start, start + length);
    for (const { prefix, key: wanted, overflowId } of this.templates) {
      if (length <= prefix.length || !startsWith(key, prefix)) continue;
      const name = storable(key) ? decodeKey(key) : undefined;
      const crowded = name === undefined ? undefined : this.crowdedKeys.get(name);
      if (crowded !== undefined) return crowded;
      if (name === undefined || this.keys.length >= this.keysMax) {
        this.overflowCount++;
        return overflowId;
      }
      return this.addKey({ name, role: wanted.role, suffix: name.slice(wanted.name.length) });
    }
    if (this.slotCount < this.keysMax && storable(key)) this.insert(key, -1);
    return KEY_UNWANTED;
  }

  private addTemplate(key: WantedKey): void {
    const prefix = encoder.encode(key.name);
    if (prefix.length < WORD_BYTES) {
      throw new TypeError(`template key "${key.name}" is shorter than ${WORD_BYTES} bytes`);
    }
    const overflowId = this.keys.length;
    this.keys.push({ name: `${key.name}*`, role: key.role, suffix: "*" });
    this.roles.push(key.role);
    this.templates.push({ prefix, key, overflowId });
    const first = new DataView(prefix.buffer).getInt32(0, true);
    const slot = hashWord(first);
    if (this.prefixWord[slot] !== 0 && this.prefixWord[slot] !== first) {
      throw new TypeError(`template key "${key.name}" collides with another template's first word`);
    }
    this.prefixWord[slot] = first;
  }

  private addKey(key: KnownKey): number {
    const id = this.keys.length;
    const bytes = encoder.encode(key.name);
    if (!storable(bytes)) throw new TypeError(`key "${key.name}" is too long or contains NUL`);
    this.keys.push(key);
    this.roles.push(key.role);
    if (bytes.length < WORD_BYTES) this.shortKeys.set(key.name, id);
    else if (!this.insert(bytes, id + 1)) this.crowdedKeys.set(key.name, id);
    return id;
  }

  /** @returns false when there is no slot for it */
  private insert(key: Uint8Array, slotValue: number): boolean {
    if (this.slotCount * SLOT_SIZE * 4 >= this.slots.length) this.growSlots();
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    const word = view.getInt32(key.length - 4, true);
    const start = this.wordCount;
    if (!this.place(word, key.length, start, slotValue)) return false;
    const last = key.length - WORD_BYTES;
    if (start + KEY_BYTES_MAX / WORD_BYTES > this.words.length) this.growWords();
    for (let offset = 0; offset < last; offset += WORD_BYTES) {
      this.words[this.wordCount++] = view.getFloat64(offset, true);
    }
    this.words[this.wordCount++] = view.getFloat64(last, true);
    this.slotCount++;
    return true;
  }

  private place(word: number, length: number, start: number, slotValue: number): boolean {
    const { slots } = this;
    let at = (hashKey(word, length) >>> this.slotShift) * SLOT_SIZE;
    for (let probes = 0; probes < PROBES_MAX; probes++) {
      if (slots[at] === 0) {
        slots[at] = slotValue;
        slots[at + 1] = word;
        slots[at + 2] = length;
        slots[at + 3] = start;
        return true;
      }
      at = (at + SLOT_SIZE) & (slots.length - 1);
    }
    return false;
  }

  private growWords(): void {
    const grown = new Float64Array(this.words.length * 2);
    grown.set(this.words);
    this.words = grown;
  }

  /** Older keys first: those that were asked for by name must never be without a slot. */
  private growSlots(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2);
    this.slotShift--;
    const taken = [];
    for (let at = 0; at < old.length; at += SLOT_SIZE) {
      if (old[at] !== 0) taken.push(old.subarray(at, at + SLOT_SIZE));
    }
    taken.sort(([, , , a = 0], [, , , b = 0]) => a - b);
    for (const [id = 0, word = 0, length = 0, start = 0] of taken) {
      if (this.place(word, length, start, id)) continue;
      this.slotCount--;
      if (id > 0) this.crowdedKeys.set(this.known(id - 1).name, id - 1);
    }
  }
}

function hashKey(word: number, length: number): number {
  return Math.imul(word + (length << 16), HASH_WORD);
}

function storable(key: Uint8Array): boolean {
  return key.length <= KEY_BYTES_MAX && !key.includes(0);
}

/** The slot of a first word among the prefixes: 6 bits. */
function hashWord(word: number): number {
  return Math.imul(word, HASH_WORD) >>> 26;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}

function decodeKey(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
