import { RESPONSE_BYTES_MAX_DEFAULT } from "@penstock/core";

/** What bounds the calls of one process. */
export interface EgressLimits {
  /** Calls at once of one function, whether or not it has a limit of its own. */
  readonly functionCallsMax: number;
  /** Calls that wait for a slot of one function. */
  readonly functionWaitingMax: number;
  /** Longest wait for a slot, ms; then the call ends as throttled. */
  readonly slotWaitMaxMs: number;
  /** Payload bytes of all calls that run or wait here. Above it a call ends as throttled. */
  readonly payloadBytesInFlightMax: number;
  /** Most bytes of one answer. */
  readonly answerBytesMax: number;
  /** HTTP origins with open connections, and connections of one origin. */
  readonly originsMax: number;
  readonly originConnectionsMax: number;
  /** gRPC targets with an open connection. */
  readonly grpcChannelsMax: number;
  readonly connectTimeoutMs: number;
}

export const EGRESS_LIMITS_DEFAULT: EgressLimits = {
  functionCallsMax: 512,
  functionWaitingMax: 1024,
  slotWaitMaxMs: 5_000,
  payloadBytesInFlightMax: 512 * 1024 * 1024,
  answerBytesMax: RESPONSE_BYTES_MAX_DEFAULT,
  originsMax: 1024,
  originConnectionsMax: 1024,
  grpcChannelsMax: 1024,
  connectTimeoutMs: 10_000,
};
