import type { MappingState } from "../mapping/mapping.ts";

/** What keeps a mapping from running. */
export interface MappingProblem {
  /** Of the error table, or of that of another version. */
  readonly code: string;
  /** What is wrong and what to do, safe to show. */
  readonly message: string;
}

/** What different observers know of one mapping; null = nothing wrong. */
export interface ProblemSources {
  readonly state: MappingState;
  readonly arePinned: boolean;
  /** Why the start position can't be resolved. */
  readonly pinning: MappingProblem | null;
  /** Why the filter can't be used. */
  readonly filter: MappingProblem | null;
  /** Of its event pollers. */
  readonly reported: MappingProblem | null;
  readonly functionName: string;
  /** Whether the function is in the registry. */
  readonly hasFunction: boolean;
  /** Why nobody runs it. */
  readonly placement: MappingProblem | null;
}

/**
 * The one problem that is shown: the first on the way from the brokers to the function, because what comes after it can't be known. A mapping that is
 * not to run has no problem but that of its start position.
 */
export function presentProblem(sources: ProblemSources): MappingProblem | null {
  const { state, arePinned, pinning, filter, reported, placement } = sources;
  if (!arePinned && state !== "Deleting" && pinning !== null) return pinning;
  if (state === "Disabled" || state === "Disabling" || state === "Deleting") return null;
  if (filter !== null) return filter;
  if (reported !== null && !isOfFunction(reported)) return reported;
  if (!sources.hasFunction) return functionMissing(sources.functionName);
  return placement ?? reported;
}

/** The function of a mapping is not in the registry. */
export function functionMissing(name: string): MappingProblem {
  return {
    code: "functionMissing",
    message:
      `The function ${name} is not in the registry. Put it there with FunctionService.PutFunction, ` +
      "or point the mapping to another one. Records wait meanwhile; no attempt is counted.",
  };
}

/** No process is there that could run it. */
export const NO_NODE: MappingProblem = {
  code: "unavailable",
  message: "No poller node is up. Start a poller service, or see why none has joined the fleet.",
};

/** A node has not said yet that it has the last change. */
export const NOT_CHANGED: MappingProblem = {
  code: "unavailable",
  message:
    "A poller node still runs the settings from before the last change. It is told again; when this stays, look at that node " +
    "(ExplainEventSourceMapping names it) and end its process: another one takes over.",
};

/** It is placed, and nobody has said why it doesn't run. */
export const NOT_JOINED: MappingProblem = {
  code: "unavailable",
  message:
    "No event poller has joined the consumer group yet. It is being tried; ExplainEventSourceMapping shows what each one does.",
};

/** The brokers have not answered yet where it starts. */
export const NOT_PINNED: MappingProblem = {
  code: "kafkaUnavailable",
  message:
    "The brokers have not answered yet where the topic starts and ends. They are asked again.",
};

function isOfFunction({ code }: MappingProblem): boolean {
  return code === "functionMissing" || code === "functionFailing" || code === "limitExceeded";
}
