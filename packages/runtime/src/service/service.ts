import type { Logger } from "../logs/logger.ts";

/** A running service. */
export interface Service {
  /** `host:port` of the gRPC listener. */
  readonly grpc: string;
  /** `host:port` of the HTTP listener. */
  readonly http: string;
  /** Drains and stops. Idempotent: a second call joins the first. */
  stop(): Promise<void>;
}

export interface StartContext {
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  /** Aborts when the process is told to stop, so that a start that waits for something can end. */
  readonly signal: AbortSignal;
}

export type StartService = (context: StartContext) => Promise<Service>;
