/**
 * LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), as Kafka's record format v2 uses them.
 *
 * A frame gives an upper bound of its inflated size by its block headers alone; what is allocated is that bound or the cap, the
 * smaller. The frame's own checksums are not verified: the CRC-32C of the record batch covers the same bytes.
 */
import { viewOf } from "./copy-bytes.ts";
import { InflateFailure, overLimit } from "./inflate-failure.ts";
import { inflateLz4Block } from "./lz4-block.ts";

const MAGIC = 0x184d2204;
const FLAG_INDEPENDENT = 0x20;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_DICTIONARY = 0x01;
const STORED = 0x8000_0000;
/** A length byte stands for at most 255 bytes of output. */
const RATIO_MAX = 255;

interface Frame {
  readonly isIndependent: boolean;
  readonly blockBytesMax: number;
  /** Bytes after each block, for its checksum. */
  readonly blockTrailer: number;
  /** Position of the first block. */
  readonly blocks: number;
  /** Position after the frame. */
  readonly end: number;
  /** Upper bound of its output. */
  readonly bound: number;
}

/** Output goes here first when it fits: the exact size is only known at the end, and a copy is cheaper than a guess. */
const scratch = Buffer.allocUnsafeSlow(1024 * 1024);

export function inflateLz4(input: Buffer, bytesMax: number): Buffer {
  const frames: Frame[] = [];
  let bound = 0;
  for (let at = 0; at < input.length; ) {
    const frame = readFrame(input, at);
    frames.push(frame);
    bound += frame.bound;
    at = frame.end;
  }
  const limit = Math.min(bound, bytesMax);
  const output = limit <= scratch.length ? scratch : Buffer.allocUnsafeSlow(limit);
  let write = 0;
  for (const frame of frames) write = inflateFrame(input, frame, output, write, limit, bytesMax);
  if (output !== scratch && write === output.length) return output;
  const exact = Buffer.allocUnsafeSlow(write);
  output.copy(exact, 0, 0, write);
  return exact;
}

function readFrame(input: Buffer, start: number): Frame {
  if (input.length - start < 7 || input.readUInt32LE(start) !== MAGIC) throw broken();
  const flags = input[start + 4] as number;
  const blockSizeCode = ((input[start + 5] as number) >>> 4) & 7;
  if (flags >>> 6 !== 1 || blockSizeCode < 4 || flags & FLAG_DICTIONARY) throw broken();
  const blockBytesMax = 1 << (8 + 2 * blockSizeCode);
  const blockTrailer = flags & FLAG_BLOCK_CHECKSUM ? 4 : 0;
  const blocks = start + 7 + (flags & FLAG_CONTENT_SIZE ? 8 : 0);
  let at = blocks;
  let bound = 0;
  for (;;) {
    if (input.length - at < 4) throw broken();
    const size = input.readUInt32LE(at);
    at += 4;
    if (size === 0) break;
    const bytes = size % STORED;
    if (bytes + blockTrailer > input.length - at) throw broken();
    bound += size >= STORED ? bytes : Math.min(blockBytesMax, bytes * RATIO_MAX);
    at += bytes + blockTrailer;
  }
  const end = at + (flags & FLAG_CONTENT_CHECKSUM ? 4 : 0);
  if (end > input.length) throw broken();
  const isIndependent = (flags & FLAG_INDEPENDENT) !== 0;
  return { isIndependent, blockBytesMax, blockTrailer, blocks, end, bound };
}

function inflateFrame(
  input: Buffer,
  frame: Frame,
  output: Buffer,
  start: number,
  limit: number,
  bytesMax: number,
): number {
  const inputView = viewOf(input);
  const view = viewOf(output);
  let read = frame.blocks;
  let write = start;
  for (;;) {
    const size = input.readUInt32LE(read);
    read += 4;
    if (size === 0) return write;
    const bytes = size % STORED;
    if (bytes > frame.blockBytesMax) throw broken();
    if (size >= STORED) {
      if (bytes > limit - write) throw overLimit(bytesMax);
      input.copy(output, write, read, read + bytes);
      write += bytes;
    } else {
      const floor = frame.isIndependent ? write : start;
      const ceiling = Math.min(limit, write + frame.blockBytesMax);
      const next = inflateLz4Block(
        input,
        inputView,
        read,
        read + bytes,
        output,
        view,
        write,
        ceiling,
        floor,
      );
      if (next === -2 && ceiling === bytesMax) throw overLimit(bytesMax);
      if (next < 0) throw broken();
      write = next;
    }
    read += bytes + frame.blockTrailer;
  }
}

function broken(): InflateFailure {
  return new InflateFailure("broken lz4 data");
}
