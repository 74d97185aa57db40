import type { MappingSettings, MutableSettings } from "./mapping.ts";
import { MUTABLE_DEFAULTS } from "./mapping-defaults.ts";

/** The settings in which two differ, by name. */
export function changedSettings(a: MutableSettings, b: MutableSettings): (keyof MutableSettings)[] {
  const keys = [...Object.keys(MUTABLE_DEFAULTS), "functionRef"] as (keyof MutableSettings)[];
  return keys.filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}

/** Whether two settings say the same: an equal update changes nothing. */
export function areEqualSettings(a: MutableSettings, b: MutableSettings): boolean {
  return changedSettings(a, b).length === 0;
}

/** Paths, in the proto's EventSourceMapping, of settings that are stored and not in effect yet. */
export function NOT_IN_EFFECT(_settings: MutableSettings): readonly string[] {
  return [];
}

/** Settings as a plain object for audits: references, never what is behind them. */
export function describeSettings(settings: MappingSettings): Readonly<Record<string, unknown>> {
  return { ...settings };
}
