/**
 * Reads members of a JSON request as AWS's rest-json protocol does: null and absent are the same, members that nobody models are passed over, a value of
 * the wrong JSON type is a SerializationException that names the member.
 *
 * Only own members are looked at, so that `__proto__` and its friends are members like any others (S-16). Size and depth were checked before the
 * body was parsed (S-17).
 */
import type { SecondsAndNanos } from "@penstock/core";
import { AwsRefusal } from "../wire/aws-refusal.ts";

const INT32_MAX = 2 ** 31 - 1;
/** Beyond this a JSON number is no exact second any more. */
const EPOCH_SECONDS_MAX = 1e12;
const NANOS_PER_SECOND = 1e9;

export class JsonMembers {
  readonly #members: ReadonlyMap<string, unknown>;
  readonly #path: string;

  private constructor(members: ReadonlyMap<string, unknown>, path: string) {
    this.#members = members;
    this.#path = path;
  }

  /** @param body parsed JSON; undefined = there was none, which reads as no members */
  static of(body: unknown, path = ""): JsonMembers {
    if (body === undefined) return new JsonMembers(new Map(), path);
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw wrongType(path, body, "a structure");
    }
    const sent = Object.entries(body).filter(([, value]) => value !== null);
    return new JsonMembers(new Map(sent), path);
  }

  /** Whether nothing was sent in it. */
  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  string(name: string): string | undefined {
    return this.#read(name, asString);
  }

  integer(name: string): number | undefined {
    return this.#read(name, asInteger);
  }

  boolean(name: string): boolean | undefined {
    return this.#read(name, asBoolean);
  }

  /** Epoch seconds, with a fraction if wanted, as SDKs send times. */
  timestamp(name: string): SecondsAndNanos | undefined {
    return this.#read(name, asTimestamp);
  }

  strings(name: string): readonly string[] | undefined {
    return this.#list(name, asString);
  }

  structures(name: string): readonly JsonMembers[] | undefined {
    return this.#list(name, (value, path) => JsonMembers.of(value, path));
  }

  structure(name: string): JsonMembers | undefined {
    return this.#read(name, (value, path) => JsonMembers.of(value, path));
  }

  /** A map of texts, with a key such as `__proto__` as harmless as any. */
  stringMap(name: string): Readonly<Record<string, string>> | undefined {
    const map = this.structure(name);
    if (map === undefined) return undefined;
    return Object.fromEntries(map.names.map((key) => [key, map.string(key) ?? ""]));
  }

  #list<T>(name: string, read: (value: unknown, path: string) => T): readonly T[] | undefined {
    return this.#read(name, (value, path) => {
      if (!Array.isArray(value)) throw wrongType(path, value, "a list");
      return value.map((item, index) => read(item, `${path}[${index}]`));
    });
  }

  #read<T>(name: string, read: (value: unknown, path: string) => T): T | undefined {
    const value = this.#members.get(name);
    if (value === undefined) return undefined;
    return read(value, this.#path === "" ? name : `${this.#path}.${name}`);
  }
}

function asString(value: unknown, path: string): string {
  if (typeof value !== "string") throw wrongType(path, value, "a String");
  return value;
}

function asBoolean(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw wrongType(path, value, "a Boolean");
  return value;
}

function asInteger(value: unknown, path: string): number {
  const isInteger = typeof value === "number" && Number.isInteger(value);
  if (!isInteger || Math.abs(value) > INT32_MAX) throw wrongType(path, value, "an Integer");
  return value;
}

function asTimestamp(value: unknown, path: string): SecondsAndNanos {
  if (typeof value !== "number" || Math.abs(value) > EPOCH_SECONDS_MAX) {
    throw wrongType(path, value, "a Timestamp (epoch seconds)");
  }
  const whole = Math.floor(value);
  // A double holds the microseconds of our time; what lies below them is noise.
  const nanos = Math.round((value - whole) * 1e6) * 1000;
  return nanos === NANOS_PER_SECOND
    ? { seconds: BigInt(whole + 1), nanos: 0 }
    : { seconds: BigInt(whole), nanos };
}

function wrongType(path: string, value: unknown, wanted: string): AwsRefusal {
  const member = path === "" ? "The body" : path;
  return new AwsRefusal(
    "SerializationException",
    `${member}: ${kindOf(value)} can not be converted to ${wanted}`,
  );
}

/** The token by which AWS's parser would name it. */
function kindOf(value: unknown): string {
  if (value === null) return "NULL_VALUE";
  if (Array.isArray(value)) return "START_ARRAY";
  if (typeof value === "object") return "START_OBJECT";
  return typeof value === "boolean"
    ? `${String(value).toUpperCase()}_VALUE`
    : `${typeof value}_VALUE`.toUpperCase();
}
