/** Writes messages of formats 0 and 1, for tests: sound ones, and such as no producer would write. Shares nothing with the decoder. */
import { crc32 } from "node:zlib";
import { type Codec, compress } from "./encode-record-batch.ts";

export interface TestMessage {
  readonly offset: bigint;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly timestamp?: bigint;
  /** Codec, and 8 for log append time. */
  readonly attributes?: number;
}

const CODES: Record<Codec, number> = { none: 0, gzip: 1, snappy: 2, xerial: 2, lz4: 3, zstd: 4 };

export function encodeMessage(format: 0 | 1, message: TestMessage): Buffer {
  const { offset, key = null, value = Buffer.from("v"), timestamp = 0n } = message;
  const head = Buffer.alloc(format === 0 ? 18 : 26);
  head.writeBigInt64BE(offset, 0);
  head[16] = format;
  head[17] = message.attributes ?? 0;
  if (format === 1) head.writeBigInt64BE(timestamp, 18);
  const bytes = Buffer.concat([head, lengthAnd(key), lengthAnd(value)]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  return signMessage(bytes);
}

/** Writes the right checksum of a message that was changed on purpose. */
export function signMessage(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(16)), 12);
  return bytes;
}

export interface TestWrapper {
  readonly codec: Codec;
  /** With absolute offsets. */
  readonly messages: readonly TestMessage[];
  /** Time of all messages, given by the broker. */
  readonly logAppendTime?: bigint;
  /** Instead of the messages. */
  readonly inner?: Buffer;
}

/** As a broker keeps it: in format 1 with offsets that count from the first message. */
export function encodeWrapper(format: 0 | 1, wrapper: TestWrapper): Buffer {
  const { codec, messages, logAppendTime } = wrapper;
  const base = format === 0 ? 0n : (messages[0]?.offset ?? 0n);
  const inner =
    wrapper.inner ??
    Buffer.concat(
      messages.map((one) => encodeMessage(format, { ...one, offset: one.offset - base })),
    );
  return encodeMessage(format, {
    offset: messages.at(-1)?.offset ?? 0n,
    value: compress(codec, inner),
    attributes: CODES[codec] | (logAppendTime === undefined ? 0 : 8),
    timestamp: logAppendTime ?? messages.at(-1)?.timestamp ?? 0n,
  });
}

function lengthAnd(bytes: Buffer | null): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes?.length ?? -1);
  return bytes === null ? length : Buffer.concat([length, bytes]);
}
