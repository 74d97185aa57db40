/** What a fetcher did since it was made: plain numbers, read by whoever exposes metrics. */
export class FetchCounters {
  requests = 0;
  responses = 0;
  responseBytes = 0;
  /** From request to response; a long poll that waits for records counts its wait. */
  latencyMsTotal = 0;
  latencyMsLast = 0;
  failures = 0;
  sessionsOpened = 0;
  /** Requests on the second connection, for partitions that could not wait for the parked long poll. */
  wakes = 0;
  /** Partitions of answers that were no longer wanted: overtaken by a seek, a removal or another answer. */
  staleAnswers = 0;
  /** Record sets with damaged bytes that were fetched again. */
  damagedReads = 0;
}
