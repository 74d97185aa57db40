/**
 * What members of a classic group tell each other through the coordinator, which doesn't look at it: Java's `ConsumerProtocol`, type "consumer".
 *
 *   subscription  version, topics, user data, owned partitions (v1), generation (v2), rack (v3)
 *   assignment    version, partitions by topic, user data
 *
 * Versions only append fields, so every reader takes what it knows and leaves the rest: the newest is always written, and any is read
 * (also kafkajs's, which stops after the user data). Bytes of strangers: what can't be read is null, and counts are
 * believed only as far as there are bytes for them.
 */
export const PROTOCOL_TYPE = "consumer";

/** Partitions of a topic, by its name. */
export interface NamedPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface Subscription {
  readonly topics: readonly string[];
  readonly owned: readonly NamedPartitions[];
  /** In which the owned partitions were assigned; -1: none, or not said. */
  readonly generation: number;
  readonly rack: string | null;
  readonly userData: Buffer | null;
}

const SUBSCRIPTION_VERSION = 3;
/** Nothing but the version differs between those of assignments. */
const ASSIGNMENT_VERSION = 3;
const NO_GENERATION = -1;

export function encodeSubscription(subscription: Subscription): Buffer {
  const { topics, owned, generation, rack, userData } = subscription;
  return Buffer.concat([
    int16(SUBSCRIPTION_VERSION),
    int32(topics.length),
    ...topics.map(string),
    bytes(userData),
    ...partitionLists(owned),
    int32(generation),
    rack === null ? int16(-1) : string(rack),
  ]);
}

export function decodeSubscription(encoded: Buffer): Subscription | null {
  return read(encoded, (reader) => {
    const version = reader.int16();
    const topics = reader.array(() => reader.string() ?? "");
    const userData = reader.bytes();
    const owned = version >= 1 ? readLists(reader) : [];
    const said = version >= 2 ? reader.int32() : NO_GENERATION;
    const rack = version >= 3 ? reader.string() : null;
    // The assignor's own field is older than the general one: cooperative-sticky of Java 2.4 to 3.1 says it only there.
    const generation =
      said === NO_GENERATION && userData?.length === 4 ? userData.readInt32BE(0) : said;
    return { topics, owned, generation, rack, userData };
  });
}

export interface MemberAssignment {
  readonly partitions: readonly NamedPartitions[];
  readonly userData: Buffer | null;
}

export function encodeAssignment({ partitions, userData }: MemberAssignment): Buffer {
  return Buffer.concat([int16(ASSIGNMENT_VERSION), ...partitionLists(partitions), bytes(userData)]);
}

/** No bytes: the leader gave this member nothing. */
export function decodeAssignment(encoded: Buffer): MemberAssignment | null {
  if (encoded.length === 0) return { partitions: [], userData: null };
  return read(encoded, (reader) => {
    reader.int16();
    return { partitions: readLists(reader), userData: reader.bytes() };
  });
}

/** User data of Java's CooperativeStickyAssignor: the generation in which the owned partitions were assigned. */
export function stickyUserData(generation: number): Buffer {
  return int32(generation);
}

function partitionLists(lists: readonly NamedPartitions[]): Buffer[] {
  return [
    int32(lists.length),
    ...lists.flatMap(({ topic, partitions }) => [
      string(topic),
      int32(partitions.length),
      ...partitions.map(int32),
    ]),
  ];
}

function readLists(reader: BoundedReader): NamedPartitions[] {
  return reader.array(() => ({
    topic: reader.string() ?? "",
    partitions: reader.array(() => reader.int32()),
  }));
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function string(value: string): Buffer {
  const encoded = Buffer.from(value, "utf8");
  return Buffer.concat([int16(encoded.length), encoded]);
}

function bytes(value: Buffer | null): Buffer {
  return value === null ? int32(-1) : Buffer.concat([int32(value.length), value]);
}

function read<T>(encoded: Buffer, decode: (reader: BoundedReader) => T): T | null {
  try {
    return decode(new BoundedReader(encoded));
  } catch (error) {
    // Buffer's own bounds check: the bytes end before what they announce.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

class BoundedReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    this.#at += 2;
    return this.#buffer.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#buffer.readInt32BE(this.#at - 4);
  }

  string(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.#slice(length).toString("utf8");
  }

  bytes(): Buffer | null {
    const length = this.int32();
    return length < 0 ? null : this.#slice(length);
  }

  array<T>(element: () => T): T[] {
    const count = this.int32();
    if (count > this.#buffer.length - this.#at) throw new RangeError("more elements than bytes");
    return Array.from({ length: Math.max(0, count) }, element);
  }

  #slice(length: number): Buffer {
    if (length > this.#buffer.length - this.#at) throw new RangeError("longer than the rest");
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }
}
