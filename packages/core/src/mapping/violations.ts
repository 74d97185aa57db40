import { type FieldViolation, PenstockError } from "../errors/penstock-error.ts";

/** Collects what is wrong with a request, so that the caller learns everything at once. */
export class Violations {
  readonly #found: FieldViolation[] = [];

  /** `description` is a sentence of its own: it names the field and what to send instead. */
  add(field: string, description: string): void {
    this.#found.push({ field, description });
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  /** Throws `invalidArgument` with all of them, if there are any. */
  throwIfAny(): void {
    if (this.isEmpty) return;
    const message = this.#found.map(({ description }) => description).join(" ");
    throw new PenstockError("invalidArgument", message, { violations: this.#found });
  }
}

const SHOWN_LENGTH_MAX = 64;

/** A caller's value for a message: quoted, control characters escaped, cut. */
export function show(value: string): string {
  const isLong = value.length > SHOWN_LENGTH_MAX;
  return JSON.stringify(isLong ? `${value.slice(0, SHOWN_LENGTH_MAX)}…` : value);
}
