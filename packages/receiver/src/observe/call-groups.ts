/** For whom a call counts: its model, the segments of its traffic, the version of its prompt. */
import type { ObservedModel } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";

/** Combinations that are told apart, a few hundred bytes each; further ones count for the model. */
const GROUPS_MAX = 65_536;
/** Versions of prompts over all models; further ones share a name. */
const PROMPT_VERSIONS_MAX = 1000;
const OTHER_PROMPT = "(other)";
/** A call of no group: there are too many. */
export const NO_GROUP = -1;

/** What calls of one group have in common. */
export interface CallGroup {
  readonly model: ObservedModel;
  readonly segments: readonly ObservedModel[];
  /** Empty when the calls do not say. */
  readonly promptVersion: string;
}

/** A group as it is stored. */
export type GroupItem = readonly [
  model: string,
  version: string,
  promptVersion: string,
  segments: readonly string[],
];

/** All groups by number, in the order in which they were first seen. */
export class CallGroups {
  private readonly groups: CallGroup[] = [];
  private readonly ids = new Map<string, number>();
  private readonly promptVersions = new Set<string>();

  /** The number of a group; of the model alone, or {@link NO_GROUP}, when there are too many. */
  idOf({ model, segments, promptVersion }: CallGroup): number {
    const group = { model, segments, promptVersion: this.promptNamed(promptVersion) };
    const key = JSON.stringify(itemOf(group));
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    if (this.groups.length >= GROUPS_MAX) {
      const isPlain = segments.length === 0 && promptVersion === "";
      return isPlain ? NO_GROUP : this.idOf({ model, segments: [], promptVersion: "" });
    }
    const id = this.groups.length;
    this.groups.push({ ...group, segments: [...segments] });
    this.ids.set(key, id);
    return id;
  }

  /** The group of a number. */
  at(id: number): CallGroup | undefined {
    return this.groups[id];
  }

  /** How many there are: they only grow. */
  get count(): number {
    return this.groups.length;
  }

  /** All groups, to be stored. */
  items(): GroupItem[] {
    return this.groups.map(itemOf);
  }

  /** Takes up what {@link items} gave; a group whose model has no room any more keeps its place. */
  restore(items: readonly GroupItem[], state: ObserverState): void {
    for (const [name, version, promptVersion, segments] of items) {
      const model = state.modelNamed(name, version);
      if (model === undefined) return;
      const found = segments.flatMap((segment) => state.segment(model, segment) ?? []);
      const group = { model, segments: found, promptVersion };
      this.ids.set(JSON.stringify(itemOf(group)), this.groups.length);
      this.groups.push(group);
      this.promptVersions.add(promptVersion);
    }
  }

  private promptNamed(version: string): string {
    const { promptVersions } = this;
    if (version === "" || promptVersions.has(version)) return version;
    if (promptVersions.size >= PROMPT_VERSIONS_MAX) return OTHER_PROMPT;
    promptVersions.add(version);
    return version;
  }
}

/** A group by the names of its parts. */
export function itemOf({ model, segments, promptVersion }: CallGroup): GroupItem {
  return [model.model, model.version, promptVersion, segments.map(({ segment }) => segment)];
}
