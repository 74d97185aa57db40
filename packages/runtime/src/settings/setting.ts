/**
 * One setting: a name in the environment and how its text becomes a value.
 *
 * A setting is data and a pure function. It knows nothing of the process and reads no environment.
 */

/** A read value, or what is wrong with the text, worded as what to write instead. */
export type ReadResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

export interface Setting<T> {
  /** Name of the environment variable. */
  readonly name: string;
  /** Kind and bounds, in words. */
  readonly kind: string;
  /** One sentence for the operator. */
  readonly description: string;
  /** The default as it would be written in the environment; null = none. */
  readonly defaultText: string | null;
  /** Whether the value must never be shown. */
  readonly isSecret: boolean;
  /** The value when the variable is unset or empty. */
  readonly fallback: ReadResult<T>;
  read(text: string): ReadResult<T>;
}

/** The value type of a setting. */
export type SettingValue<S> = S extends Setting<infer T> ? T : never;

export function good<T>(value: T): ReadResult<T> {
  return { ok: true, value };
}

export function bad<T>(problem: string): ReadResult<T> {
  return { ok: false, problem };
}
