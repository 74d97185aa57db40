/** The answer to a Fetch request, versions 4 to 12: those that name the topic. Null arrays and null records count as empty. */
import type { AbortedTransaction } from "../../decode/aborted-transactions.ts";
import type { FetchedPartition, FetchResponse } from "./fetch-response.ts";
import {
  FLEXIBLE_SINCE,
  LOG_START_SINCE,
  RACK_SINCE,
  SESSIONS_SINCE,
} from "./named-fetch-request.ts";
import { WireFault, WireReader } from "./wire-reader.ts";

/** Before it (KIP-219, Kafka 2.0) the broker holds back the answer itself for the throttle time. */
const MUTED_SINCE = 8;
const ABORTED_BYTES_MIN = 8 + 8;
/** What every version has of a partition: fixed fields and one byte for each of two lengths. */
const PARTITION_BYTES_MIN = 4 + 2 + 8 + 8 + 1 + 1;
const TOPIC_BYTES_MIN = 1 + 1;

/** Reads the body after the response header. Throws WireFault, also for a topic that was not asked for. */
export function parseNamedFetchResponse(
  buffer: Buffer,
  version: number,
  topic: string,
): FetchResponse {
  const reader = new LayoutReader(buffer, version >= FLEXIBLE_SINCE);
  const hasSessions = version >= SESSIONS_SINCE;
  const throttleMs = reader.int32();
  const errorCode = hasSessions ? reader.int16() : 0;
  const sessionId = hasSessions ? reader.int32() : 0;
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.count(TOPIC_BYTES_MIN); topics > 0; topics--) {
    if (reader.text() !== topic) throw new WireFault("topic that was not asked for");
    for (let left = reader.count(PARTITION_BYTES_MIN); left > 0; left--)
      partitions.push(readPartition(reader, version));
    reader.tags();
  }
  reader.tags();
  const muteMs = version >= MUTED_SINCE ? throttleMs : 0;
  return { buffer, isNamed: true, throttleMs, muteMs, errorCode, sessionId, partitions };
}

function readPartition(reader: LayoutReader, version: number): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  const logStart = version >= LOG_START_SINCE ? reader.int64() : -1n;
  const aborted: AbortedTransaction[] = [];
  for (let left = reader.count(ABORTED_BYTES_MIN); left > 0; left--) {
    aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() });
    reader.tags();
  }
  const preferredReplica = version >= RACK_SINCE ? reader.int32() : -1;
  const bytes = reader.count(1);
  const recordsStart = reader.skip(bytes);
  const recordsEnd = reader.at;
  reader.tags();
  return {
    topicId: "",
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStart,
    aborted,
    preferredReplica,
    recordsStart,
    recordsEnd,
  };
}

/** Lengths and tags as the version has them. */
class LayoutReader extends WireReader {
  readonly #isFlexible: boolean;

  constructor(buffer: Buffer, isFlexible: boolean) {
    super(buffer);
    this.#isFlexible = isFlexible;
  }

  /** Of an array whose elements take at least `bytesMin` each, or of bytes. */
  count(bytesMin: number): number {
    if (this.#isFlexible) return this.arrayLength(bytesMin);
    const length = this.int32();
    if (length < -1 || length * bytesMin > this.buffer.length - this.at)
      throw new WireFault("array past the end");
    return Math.max(0, length);
  }

  text(): string {
    const length = this.#isFlexible ? this.unsignedVarint() - 1 : this.int16();
    const start = this.skip(length);
    return this.buffer.toString("utf8", start, this.at);
  }

  tags(): void {
    if (this.#isFlexible) this.skipTags();
  }
}
