/** Time as an argument: monotonic for deadlines, wall for what people read. */
export interface Clock {
  /** Monotonic milliseconds (fractional); only differences mean anything. Survives changes of the wall clock. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. */
  wallMs(): number;
}
