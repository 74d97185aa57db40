/**
 * The kinds of settings. Each takes what is said about the setting (name, description, default, bounds) and returns a
 * {@link Setting}. A kind without a `default` is optional and reads as null, unless it is marked `isRequired`.
 */
import { Secret } from "../../secrets/secret.ts";
import { bad, good, type ReadResult, type Setting } from "../setting.ts";
import { addressProblem } from "./network-address.ts";

interface Said {
  readonly name: string;
  readonly description: string;
}

const TEXT_LENGTH_MAX = 4096;
const LIST_LENGTH_MAX = 100;

/** Text of at most 4096 characters; `oneOf` narrows it to a few words. */
export function text(said: Said & { default: string; oneOf?: readonly string[] }): Setting<string>;
export function text(
  said: Said & { default?: undefined; oneOf?: readonly string[] },
): Setting<string | null>;
export function text(
  said: Said & { default?: string | undefined; oneOf?: readonly string[] },
): Setting<string> | Setting<string | null> {
  const { oneOf } = said;
  return {
    ...base(said, oneOf === undefined ? "text" : `one of ${oneOf.join(", ")}`),
    defaultText: said.default ?? null,
    fallback: good(said.default ?? null),
    read(value: string): ReadResult<string> {
      if (oneOf !== undefined && !oneOf.includes(value)) {
        return bad(`must be one of ${oneOf.join(", ")}`);
      }
      return checkText(value);
    },
  } as Setting<string | null>;
}

/** A whole number within bounds, both included. `_` may group digits. */
export function integer(
  said: Said & { min: number; max: number; default: number },
): Setting<number> {
  const { min, max } = said;
  return {
    ...base(said, `${min} to ${max}`),
    defaultText: String(said.default),
    fallback: good(said.default),
    read(value) {
      const digits = value.replaceAll("_", "");
      const number = Number(digits);
      if (!/^-?\d{1,16}$/.test(digits) || number < min || number > max) {
        return bad(`must be a whole number from ${min} to ${max}`);
      }
      return good(number);
    },
  };
}

/** A TCP port; 0 = any free one. */
export function port(said: Said & { default: number }): Setting<number> {
  return integer({ ...said, min: 0, max: 65_535 });
}

/** `true` or `false` (also 1, 0, yes, no, on, off). */
export function flag(said: Said & { default: boolean }): Setting<boolean> {
  return {
    ...base(said, "true or false"),
    defaultText: String(said.default),
    fallback: good(said.default),
    read(value) {
      if (/^(true|1|yes|on)$/i.test(value)) return good(true);
      if (/^(false|0|no|off)$/i.test(value)) return good(false);
      return bad("must be true or false");
    },
  };
}

/** Items separated by commas; blanks around them and empty ones are dropped. */
export function list(
  said: Said & { default?: readonly string[]; check?: (item: string) => string | null },
): Setting<readonly string[]> {
  const defaults = said.default ?? [];
  return {
    ...base(said, "list, separated by commas"),
    defaultText: defaults.length === 0 ? null : defaults.join(","),
    fallback: good(Object.freeze([...defaults])),
    read(value) {
      const items = splitList(value);
      if (items.length > LIST_LENGTH_MAX) {
        return bad(`must have at most ${LIST_LENGTH_MAX} items`);
      }
      for (const item of items) {
        const problem = said.check?.(item) ?? null;
        if (problem !== null) return bad(`item ${JSON.stringify(item)} ${problem}`);
      }
      return good(Object.freeze(items));
    },
  };
}

/** `host:port` of a service. */
export function address(said: Said & { default: string }): Setting<string> {
  return {
    ...base(said, "host:port"),
    defaultText: said.default,
    fallback: good(said.default),
    read(value) {
      const problem = addressProblem(value);
      return problem === null ? good(value) : bad(problem);
    },
  };
}

/** A value that is never shown. */
export function secret(said: Said & { isRequired: true }): Setting<Secret>;
export function secret(said: Said & { isRequired?: false }): Setting<Secret | null>;
export function secret(
  said: Said & { isRequired?: boolean },
): Setting<Secret> | Setting<Secret | null> {
  return {
    ...base(said, "text, never shown"),
    isSecret: true,
    defaultText: null,
    fallback: said.isRequired === true ? bad("is required") : good(null),
    read(value: string): ReadResult<Secret> {
      const checked = checkText(value);
      return checked.ok ? good(new Secret(value)) : checked;
    },
  } as Setting<Secret | null>;
}

export function splitList(value: string): string[] {
  return value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function base(said: Said, kind: string) {
  return { name: said.name, description: said.description, kind, isSecret: false };
}

function checkText(value: string): ReadResult<string> {
  return value.length > TEXT_LENGTH_MAX
    ? bad(`must have at most ${TEXT_LENGTH_MAX} characters`)
    : good(value);
}
