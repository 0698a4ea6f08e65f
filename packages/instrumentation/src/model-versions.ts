/** Versions of models by name, so that the stages around an inference can state them too. */

/** A process serves a handful of models; one that makes up names must not grow this for ever. */
const MODELS_MAX = 1000;

/** What is known about versions; filled as models are loaded. */
export class ModelVersions {
  private readonly versions = new Map<string, string>();

  /** The version of the model of that name that was loaded last. */
  learn(name: string, version: string): void {
    if (this.versions.size < MODELS_MAX || this.versions.has(name)) {
      this.versions.set(name, version);
    }
  }

  /** The version, or undefined while no such model has been loaded. */
  of(name: string): string | undefined {
    return this.versions.get(name);
  }
}
