import { secretError } from "../stores/secret-error.ts";

/**
 * The members of a secret's JSON object. Others than those asked for are ignored, as AWS does (its rotation adds some); errors name members and
 * never show a value.
 */
export class SecretMembers {
  readonly #uri: string;
  readonly #members: Readonly<Record<string, unknown>>;

  /** @throws PenstockError `secretMalformed` */
  constructor(uri: string, text: string) {
    this.#uri = uri;
    this.#members = parse(uri, text);
  }

  required(name: string): string {
    const value = this.optional(name);
    if (value === null) throw this.malformed(`has no "${name}"`);
    return value;
  }

  /** Null when absent, null or empty. */
  optional(name: string): string | null {
    const value = Object.hasOwn(this.#members, name) ? this.#members[name] : null;
    if (value === null || value === undefined || value === "") return null;
    if (typeof value === "string") return value;
    throw this.malformed(`"${name}" must be text`);
  }

  /** A whole number, also one written as text. */
  optionalInteger(name: string, bounds: { readonly min: number; readonly max: number }) {
    const value = Object.hasOwn(this.#members, name) ? this.#members[name] : null;
    if (value === null || value === undefined || value === "") return null;
    const number = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : value;
    const { min, max } = bounds;
    if (Number.isInteger(number) && Number(number) >= min && Number(number) <= max) {
      return Number(number);
    }
    throw this.malformed(`"${name}" must be a whole number from ${min} to ${max}`);
  }

  malformed(problem: string, cause?: unknown) {
    return secretError("secretMalformed", this.#uri, problem, cause);
  }
}

function parse(uri: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw secretError("secretMalformed", uri, "is not JSON");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw secretError("secretMalformed", uri, "is not a JSON object");
  }
  return value as Record<string, unknown>;
}
