/** One call, as the function saw it: the truth about deliveries. Times are wall-clock ms of the function's process. */
export interface Delivery {
  readonly startMs: number;
  /** Infinity while the call is unanswered. */
  readonly endMs: number;
  /** HTTP status that was answered; 0 when none was (held, reset). */
  readonly status: number;
  readonly requestId: string;
  readonly mappingId: string;
  readonly attempt: number;
  /** Offsets by `topic-partition`, in the order of the payload. */
  readonly offsets: ReadonlyMap<string, readonly number[]>;
}

export function isSuccess(delivery: Delivery): boolean {
  return delivery.status >= 200 && delivery.status < 300;
}
