import { functionMissing, type InvokeOutcome, isCharged, PenstockError } from "@penstock/core";

/** A call that did not succeed, as a problem of the mapping. */
export interface FunctionTrouble {
  readonly problem: PenstockError;
  /** Passes by itself as a rule, and is a problem only when it lasts. */
  readonly isPassing: boolean;
}

/** Null for what is no trouble: success, and settings that are still on their way. */
export function troubleOf(functionName: string, outcome: InvokeOutcome): FunctionTrouble | null {
  if (outcome.kind === "success" || outcome.kind === "staleFunction") return null;
  if (outcome.kind === "unknownFunction") return unknownFunction(functionName);
  const { what, advice, isPassing = false } = TROUBLES[outcome.kind];
  const counted = isCharged(outcome) ? "The attempt counts" : "No attempt is counted";
  const cause = outcome.message === "" ? "" : `: ${withoutStop(outcome.message)}`;
  const message = `${what} (${functionName})${cause}. ${counted}; the same records are sent again. ${advice}`;
  const code = outcome.kind === "throttled" ? "limitExceeded" : "functionFailing";
  return { problem: new PenstockError(code, message), isPassing };
}

export function unknownFunction(functionName: string): FunctionTrouble {
  const { message } = functionMissing(functionName);
  return { problem: new PenstockError("functionMissing", message), isPassing: false };
}

interface Text {
  readonly what: string;
  /** What to do. */
  readonly advice: string;
  readonly isPassing?: boolean;
}

const TROUBLES: Readonly<
  Record<Exclude<InvokeOutcome["kind"], "success" | "staleFunction" | "unknownFunction">, Text>
> = {
  throttled: {
    what: "Function asks to be left alone",
    advice: "Raise its capacity, or lower the concurrency of the mapping.",
    isPassing: true,
  },
  functionError: { what: "Function call failed", advice: "See the function's log." },
  timeout: {
    what: "Function call timed out",
    advice: "Make the function faster, batches smaller or the function's timeout longer.",
  },
  invalidResponse: {
    what: "Function answered out of bounds",
    advice: "See what the function answers.",
  },
  unreachable: {
    what: "Function not reached",
    advice: "Check that it runs at the address in the registry and that the address is allowed.",
  },
  connectionLost: {
    what: "Connection to the invoker lost",
    advice: "Check that an invoker is up.",
    isPassing: true,
  },
};

function withoutStop(text: string): string {
  return text.endsWith(".") ? text.slice(0, -1) : text;
}
