/**
 * The attribute keys that somebody wants, by name: exact keys, and those under a template
 * (`ml.feature.<name>`), which enter the table when they are first seen, up to
 * {@link KeyTable.keysMax}; beyond that they all map to one overflow key.
 *
 * The decoder in WebAssembly keeps what it has learned here by the keys' bytes, and asks only for
 * what it does not know (assembly/key-cache.ts).
 */

/** What a reader gets for a key that nobody wants. */
export const KEY_UNWANTED = -1;

/** A key, or a prefix when `template` is true, and the number its consumer knows it by. */
export interface WantedKey {
  readonly name: string;
  readonly template: boolean;
  /** The consumer's own number, such as an index into its handlers. */
  readonly role: number;
  /** With a template: only keys that end like this belong to it, and all of them are one key. */
  readonly ending?: string;
  /** It is the name of a span's event, and no attribute's key. */
  readonly event?: boolean;
  /** No span says it: the consumer makes values of its own under this key. */
  readonly derived?: boolean;
}

/** A key of the table, by its id. */
export interface KnownKey {
  readonly name: string;
  readonly role: number;
  /** For a template the part after the prefix, else empty. */
  readonly suffix: string;
}

/** The decoder compares the first eight bytes before it asks for a key under a template. */
const PREFIX_BYTES_MIN = 8;
/** 4,096 keys of at most 256 bytes: about 1 MB. */
const KEYS_MAX_DEFAULT = 4096;
const KEY_BYTES_MAX = 256;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Maps the bytes of attribute keys to small integers. */
export class KeyTable {
  /** How many keys may be known; template keys beyond it share one overflow key per role. */
  readonly keysMax: number;
  /** What is known from the start: ids by name, {@link KEY_UNWANTED} among them. */
  readonly fixed: ReadonlyMap<string, number>;
  /** What keys under a template begin with. */
  readonly prefixes: readonly string[];
  /** The ids of events' names. */
  readonly events: ReadonlyMap<string, number>;
  /** Keys under a template that found no room, counted per occurrence. */
  overflowCount = 0;

  private readonly keys: KnownKey[] = [];
  /** Roles by id, beside `keys` so that a reader of values need not touch an object. */
  private readonly roles: number[] = [];
  private readonly ids = new Map<string, number>();
  private readonly templates: Template[] = [];
  /** Ids of derived keys by role and suffix. */
  private readonly derived = new Map<string, number>();

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
    for (const name of unwanted) this.ids.set(name, KEY_UNWANTED);
    const events = new Map<string, number>();
    for (const key of wanted) {
      const { name, role } = key;
      const known = { name, role, suffix: "" };
      if (key.derived) this.derived.set(derivedKey(role, ""), this.push(known));
      else if (key.event) events.set(name, this.push(known));
      else if (key.template) this.addTemplate(key);
      else this.addKey(known);
    }
    this.events = events;
    this.fixed = new Map(this.ids);
    this.prefixes = this.templates.map(({ key }) => key.name);
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
   * The id of a role's key; for a template, or a derived key, of the key with that name after the
   * prefix, which is learned when it is new. Negative when there is none, and no room for it.
   */
  idOf(role: number, suffix: string): number {
    const derived = this.derived.get(derivedKey(role, suffix));
    if (derived !== undefined) return derived;
    const root = this.derived.get(derivedKey(role, ""));
    if (root !== undefined) return this.derive(role, suffix, root);
    const template = this.templates.find(({ key }) => key.role === role);
    if (template === undefined) return this.keys.findIndex((key) => key.role === role);
    const bytes = encoder.encode(template.key.name + suffix);
    return this.lookup(bytes, 0, bytes.length);
  }

  /** The id of a key that is wanted by this very name, or {@link KEY_UNWANTED}. */
  named(name: string): number {
    return this.fixed.get(name) ?? KEY_UNWANTED;
  }

  /**
   * The id of the key at [start, start + length), or {@link KEY_UNWANTED}; a key under a template
   * is learned when it is new. The caller has checked that the range lies within the bytes.
   */
  lookup(bytes: Uint8Array, start: number, length: number): number {
    const key = bytes.subarray(start, start + length);
    const name = storable(key) ? decodeKey(key) : undefined;
    const known = name === undefined ? undefined : this.ids.get(name);
    return known ?? this.learn(key, name);
  }

  /** A key that starts like a template: enters the table as that template's, if it has a name. */
  private learn(key: Uint8Array, name: string | undefined): number {
    for (const { prefix, ending, key: wanted, overflowId } of this.templates) {
      if (key.length <= prefix.length + ending.length || !startsWith(key, prefix)) continue;
      if (ending.length > 0) {
        if (startsWith(key.subarray(key.length - ending.length), ending)) return overflowId;
        continue;
      }
      if (name === undefined || this.keys.length >= this.keysMax) {
        this.overflowCount++;
        return overflowId;
      }
      return this.addKey({ name, role: wanted.role, suffix: name.slice(wanted.name.length) });
    }
    return KEY_UNWANTED;
  }

  private addTemplate(key: WantedKey): void {
    const prefix = encoder.encode(key.name);
    if (prefix.length < PREFIX_BYTES_MIN) {
      throw new TypeError(`template key "${key.name}" is shorter than ${PREFIX_BYTES_MIN} bytes`);
    }
    const ending = encoder.encode(key.ending ?? "");
    const name = `${key.name}*${key.ending ?? ""}`;
    const overflowId = this.push({ name, role: key.role, suffix: "*" });
    this.templates.push({ prefix, ending, key, overflowId });
  }

  private derive(role: number, suffix: string, root: number): number {
    if (this.keys.length >= this.keysMax) {
      this.overflowCount++;
      return KEY_UNWANTED;
    }
    const id = this.push({ name: this.known(root).name + suffix, role, suffix });
    this.derived.set(derivedKey(role, suffix), id);
    return id;
  }

  private addKey(key: KnownKey): number {
    if (!storable(encoder.encode(key.name))) {
      throw new TypeError(`key "${key.name}" is too long or contains NUL`);
    }
    const id = this.push(key);
    this.ids.set(key.name, id);
    return id;
  }

  private push(key: KnownKey): number {
    this.roles.push(key.role);
    return this.keys.push(key) - 1;
  }
}

interface Template {
  readonly prefix: Uint8Array;
  readonly ending: Uint8Array;
  readonly key: WantedKey;
  readonly overflowId: number;
}

function derivedKey(role: number, suffix: string): string {
  return `${role} ${suffix}`;
}

function storable(key: Uint8Array): boolean {
  return key.length <= KEY_BYTES_MAX && !key.includes(0);
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
