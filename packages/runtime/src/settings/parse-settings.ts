/**
 * Reads the settings of one service from an environment. Pure: the environment is an argument. All problems are reported at once,
 * and a `PENSTOCK_*` name that no service knows is a problem too, because it is most likely a typing error.
 */
import { type FieldViolation, PenstockError } from "@penstock/core";
import { nearestName } from "./nearest-name.ts";
import type { Setting, SettingValue } from "./setting.ts";
import { KNOWN_SETTINGS } from "./table/settings-table.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
export type Schema = Readonly<Record<string, Setting<unknown>>>;
export type Parsed<S extends Schema> = { readonly [K in keyof S]: SettingValue<S[K]> };

/**
 * @param relations problems between values, looked for when each value alone is good
 * @returns a frozen object with one value for each key of the schema
 * @throws PenstockError `invalidArgument` whose violations name each variable that is wrong
 */
export function parseSettings<const S extends Schema>(
  schema: S,
  env: Environment,
  relations: (settings: Parsed<S>) => readonly FieldViolation[] = () => [],
): Parsed<S> {
  const violations: FieldViolation[] = unknownNames(schema, env);
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(schema)) {
    const given = env[setting.name]?.trim() ?? "";
    const result = given === "" ? setting.fallback : setting.read(given);
    if (result.ok) values[key] = result.value;
    else violations.push({ field: setting.name, description: result.problem });
  }
  const settings = Object.freeze(values) as Parsed<S>;
  if (violations.length === 0) violations.push(...relations(settings));
  if (violations.length > 0) throw settingsError(violations);
  return settings;
}

function settingsError(violations: readonly FieldViolation[]): PenstockError {
  const lines = violations.map(({ field, description }) => `${field} ${description}`);
  return new PenstockError("invalidArgument", `Invalid settings: ${lines.join("; ")}.`, {
    violations,
  });
}

function unknownNames(schema: Schema, env: Environment): FieldViolation[] {
  const known = new Set(KNOWN_SETTINGS);
  for (const setting of Object.values(schema)) known.add(setting.name);
  return Object.keys(env)
    .filter((name) => name.startsWith("PENSTOCK_") && !name.startsWith("PENSTOCK_SECRET_"))
    .filter((name) => !known.has(name))
    .map((name) => {
      const nearest = nearestName(name, known);
      const hint = nearest === null ? "" : ` Did you mean ${nearest}?`;
      return { field: name, description: `is not a setting of Penstock.${hint}`.trimEnd() };
    });
}
