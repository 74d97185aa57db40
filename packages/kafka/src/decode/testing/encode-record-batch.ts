/**
 * Writes record batches, format v2, for tests: sound ones, and such as no producer would write. Shares nothing with the decoder.
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { crc32c } from "@platformatic/kafka";
import { lz4Compress, snappyCompress } from "@platformatic/wasm-utils";

export type Codec = "none" | "gzip" | "snappy" | "xerial" | "lz4" | "zstd";

export interface TestRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer, Buffer | null])[];
}

export interface TestBatch {
  readonly baseOffset: bigint;
  readonly records: readonly TestRecord[];
  readonly codec?: Codec;
  readonly lastOffsetDelta?: number;
  readonly count?: number;
  readonly baseTimestamp?: bigint;
  readonly maxTimestamp?: bigint;
  readonly producerId?: bigint;
  /** Further bits: 8 log append time, 16 transactional, 32 control; or another codec. */
  readonly attributes?: number;
  readonly magic?: number;
  /** Instead of the records. */
  readonly body?: Buffer;
}

const CODES: Record<Codec, number> = { none: 0, gzip: 1, snappy: 2, xerial: 2, lz4: 3, zstd: 4 };

export function encodeRecordBatch(batch: TestBatch): Buffer {
  const codec = batch.codec ?? "none";
  const records = batch.body ?? compress(codec, Buffer.concat(batch.records.map(encodeRecord)));
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(batch.baseOffset, 0);
  head.writeInt32BE(49 + records.length, 8);
  head.writeInt8(batch.magic ?? 2, 16);
  head.writeInt16BE(CODES[codec] | (batch.attributes ?? 0), 21);
  head.writeInt32BE(batch.lastOffsetDelta ?? batch.records.at(-1)?.offsetDelta ?? 0, 23);
  head.writeBigInt64BE(batch.baseTimestamp ?? 0n, 27);
  head.writeBigInt64BE(batch.maxTimestamp ?? 0n, 35);
  head.writeBigInt64BE(batch.producerId ?? -1n, 43);
  head.writeInt16BE(0, 51);
  head.writeInt32BE(-1, 53);
  head.writeInt32BE(batch.count ?? batch.records.length, 57);
  const bytes = Buffer.concat([head, records]);
  return sign(bytes);
}

/** Writes the right checksum of a batch that was changed on purpose. */
export function sign(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

export function controlBatch(offset: bigint, producerId: bigint, type: 0 | 1): Buffer {
  const key = Buffer.from([0, 0, 0, type]);
  const value = Buffer.alloc(6);
  const record = { offsetDelta: 0, timestampDelta: 0n, key, value, headers: [] };
  return encodeRecordBatch({ baseOffset: offset, records: [record], producerId, attributes: 48 });
}

export function encodeRecord(record: TestRecord): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(record.timestampDelta),
    varint(BigInt(record.offsetDelta)),
    bytes(record.key),
    bytes(record.value),
    varint(BigInt(record.headers.length)),
    ...record.headers.flatMap(([key, value]) => [bytes(key), bytes(value)]),
  ]);
  return Buffer.concat([varint(BigInt(body.length)), body]);
}

export function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const out: number[] = [];
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}

export function record(offsetDelta: number, value: string | Buffer | null = "v"): TestRecord {
  const bytesOf = typeof value === "string" ? Buffer.from(value) : value;
  return { offsetDelta, timestampDelta: 0n, key: null, value: bytesOf, headers: [] };
}

export function compress(codec: Codec, plain: Buffer): Buffer {
  switch (codec) {
    case "none":
      return plain;
    case "gzip":
      return gzipSync(plain);
    case "zstd":
      return zstdCompressSync(plain);
    case "lz4":
      return again(() => lz4Compress(plain));
    case "snappy":
      return again(() => snappyCompress(plain));
    case "xerial":
      return xerial(plain);
  }
}

/** The WASM compressors fail when their memory has grown under the view that they write into; only a longer input than none makes a new view. */
function again<T>(compressed: () => T): T {
  for (let attempt = 0; ; attempt++) {
    try {
      return compressed();
    } catch (error) {
      if (!(error instanceof TypeError) || attempt === 3) throw error;
      renewView();
    }
  }
}

function renewView(): void {
  try {
    lz4Compress(Buffer.alloc(1));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

function xerial(plain: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from("82534e415050590000000001" + "00000001", "hex")];
  for (let at = 0; at < plain.length; at += 1000) {
    const block = again(() => snappyCompress(plain.subarray(at, at + 1000)));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

function bytes(value: Buffer | null): Buffer {
  return value === null ? varint(-1n) : Buffer.concat([varint(BigInt(value.length)), value]);
}
