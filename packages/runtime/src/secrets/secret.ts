import { inspect } from "node:util";

const HIDDEN = "***";

/**
 * A value that must not be seen: every way to turn it into text gives `***`, so that it can't slip into a log line, an error, an
 * answer or a crash dump. Only `reveal` gives it out; call it where the value is used and nowhere else.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
