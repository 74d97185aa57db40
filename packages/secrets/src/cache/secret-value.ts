import { createHmac, randomBytes } from "node:crypto";
import { inspect } from "node:util";

/** The text of a secret as it was read. Shows itself to `reveal` alone, never to a log, JSON or an inspection. */
export class SecretValue {
  readonly #text: string;
  /** Equal texts have equal versions within a process, and nowhere else: the digest has a key that is never stored. */
  readonly version: string;

  constructor(text: string) {
    this.#text = text;
    this.version = versionOf(text);
  }

  reveal(): string {
    return this.#text;
  }

  toJSON(): string {
    return HIDDEN;
  }

  toString(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** A version of several texts together. */
export function versionOf(...texts: readonly string[]): string {
  const digest = createHmac("sha256", KEY);
  for (const text of texts) digest.update(`${text.length}:`).update(text);
  return digest.digest("base64url").slice(0, VERSION_LENGTH);
}

/** Makes an object of plain members that shows none of them to a log, JSON or an inspection. */
export function concealed<T extends object>(value: T): Readonly<T> {
  Object.defineProperties(value, {
    toJSON: { value: () => HIDDEN },
    [inspect.custom]: { value: () => HIDDEN },
  });
  return Object.freeze(value);
}

const HIDDEN = "***";
const KEY = randomBytes(32);
const VERSION_LENGTH = 22;
