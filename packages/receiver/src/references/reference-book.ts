import type { Reference } from "./reference.js";
import type { ReferenceFile } from "./reference-file.js";

/** All references that are configured, looked up by model and signal. */
export class ReferenceBook {
  private readonly files: readonly ReferenceFile[];
  private readonly reported = new Set<ReferenceFile>();

  constructor(files: readonly ReferenceFile[]) {
    this.files = files;
  }

  /** The reference of a signal: the one for this very version first, then one for any version. */
  find(model: string, version: string, signal: string): Reference | undefined {
    const ofModel = this.files.filter((file) => file.model === model && file.signals.has(signal));
    const file =
      ofModel.find((candidate) => candidate.version === version) ??
      ofModel.find((candidate) => candidate.version === "");
    return file?.signals.get(signal);
  }

  /** References whose model is not among those seen, each returned once only. */
  unseen(models: ReadonlySet<string>): ReferenceFile[] {
    const unseen = this.files.filter((file) => !models.has(file.model) && !this.reported.has(file));
    for (const file of unseen) this.reported.add(file);
    return unseen;
  }
}
