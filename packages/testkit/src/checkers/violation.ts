/** What a checker found: the promise that is broken, and where. An empty list is a pass. */
export interface Violation {
  readonly promise: string;
  readonly where: string;
}

/** Throws with the first violations when there are any. */
export function assertNone(violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const shown = violations.slice(0, 10).map(({ promise, where }) => `${promise}: ${where}`);
  const more = violations.length > 10 ? `\n… and ${violations.length - 10} more` : "";
  throw new Error(`${violations.length} broken promises\n${shown.join("\n")}${more}`);
}
