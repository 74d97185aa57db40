const DEPTH_MAX = 5;

/** What a log line says of an error: name, code, message, stack, and the same of its causes, five deep at most. */
export interface ErrorDescription {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
}

export function describeError(error: unknown): ErrorDescription {
  return describe(error, 1);
}

function describe(error: unknown, depth: number): ErrorDescription {
  if (!(error instanceof Error)) {
    return { name: typeof error, message: String(error) };
  }
  const code = "code" in error ? error.code : undefined;
  const hasCode = typeof code === "string" || typeof code === "number";
  return {
    name: error.name,
    message: error.message,
    ...(hasCode ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth === DEPTH_MAX
      ? {}
      : { cause: describe(error.cause, depth + 1) }),
  };
}
