import {
  type AwsViolation,
  type FieldViolation,
  PenstockError,
} from "../../errors/penstock-error.ts";

/** More than a person reads; what is beyond is not collected. */
const VIOLATIONS_MAX = 30;
/** Descriptions in the message of the error, which travels in a header of gRPC. */
const DESCRIPTIONS_MAX = 10;

/** Collects what is wrong with a request, so that the caller learns everything at once. */
export class Violations {
  readonly #found: FieldViolation[] = [];

  /**
   * `description` is a sentence of its own: it names the field and what to send instead. `aws` is what AWS says of the same; a text is the message of
   * a rule of the service, absent means that AWS has no words of its own.
   */
  add(field: string, description: string, aws?: AwsViolation | string): void {
    if (this.#found.length >= VIOLATIONS_MAX) return;
    const said: AwsViolation | undefined =
      typeof aws === "string" ? { kind: "parameter", message: aws } : aws;
    this.#found.push({ field, description, ...(said && { aws: said }) });
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  /** Throws `invalidArgument` with all of them, if there are any. */
  throwIfAny(): void {
    if (this.isEmpty) return;
    const shown = this.#found.slice(0, DESCRIPTIONS_MAX).map(({ description }) => description);
    const rest = this.#found.length - shown.length;
    if (rest > 0) shown.push(`And ${rest} more.`);
    throw new PenstockError("invalidArgument", shown.join(" "), { violations: this.#found });
  }
}

const SHOWN_LENGTH_MAX = 64;

/** A caller's value for a message: quoted, control characters and lone surrogates escaped, cut. */
export function show(value: string): string {
  return JSON.stringify(cut(value, SHOWN_LENGTH_MAX));
}

/** A text for a message: at most `lengthMax` characters of it. */
export function cut(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
}
