import type { FunctionSpec } from "@penstock/core";
import { functionSpecOf } from "@penstock/egress";
import type { fleet } from "@penstock/proto";

/** The functions of the registry, as last heard. A spec keeps its identity until its revision changes. */
export class FunctionCache {
  readonly #byName = new Map<string, FunctionSpec>();

  get(name: string): FunctionSpec | undefined {
    return this.#byName.get(name);
  }

  /** Takes a message; returns the names that changed. A function with a target that this version does not know is unknown here. */
  apply(message: fleet.Functions): string[] {
    const changed: string[] = [];
    const named = new Set<string>();
    const unknown: string[] = [];
    for (const stored of message.changed) {
      if (stored.target.case === undefined) {
        unknown.push(stored.name);
        continue;
      }
      named.add(stored.name);
      if (this.#byName.get(stored.name)?.revision === stored.revision) continue;
      this.#byName.set(stored.name, functionSpecOf(stored));
      changed.push(stored.name);
    }
    const gone = message.isSnapshot
      ? [...this.#byName.keys()].filter((name) => !named.has(name))
      : [...message.removed, ...unknown];
    for (const name of gone) if (this.#byName.delete(name)) changed.push(name);
    return changed;
  }
}
