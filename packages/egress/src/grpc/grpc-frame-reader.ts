/**
 * Cuts a byte stream into gRPC messages (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: one flag byte, a big-endian
 * length, the message). Compressed messages are refused: Penstock announces identity only.
 *
 * A message that lies in one chunk is given as a view of it; one that spans chunks is put together in a buffer of exactly
 * its size, and only as many bytes are allocated as the limit allows.
 */
export type FrameProblem = "compressed" | "tooLarge";

export const FRAME_HEAD_BYTES = 5;

export class GrpcFrameReader {
  readonly #messageBytesMax: number;
  readonly #onMessage: (message: Buffer) => void;
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #headBytes = 0;
  #message: Buffer | null = null;
  #messageBytes = 0;
  #problem: FrameProblem | null = null;

  constructor(messageBytesMax: number, onMessage: (message: Buffer) => void) {
    this.#messageBytesMax = messageBytesMax;
    this.#onMessage = onMessage;
  }

  /** Whether the stream may end here: no message has begun. */
  get isBetweenMessages(): boolean {
    return this.#headBytes === 0 && this.#message === null;
  }

  /** Takes the next bytes; after a problem it takes no more. Messages are handed over before it returns. */
  push(chunk: Buffer): FrameProblem | null {
    let at = 0;
    while (at < chunk.length && this.#problem === null) {
      if (this.#message !== null) {
        at += this.#fill(this.#message, chunk, at);
        continue;
      }
      at += this.#readHead(chunk, at);
      if (this.#headBytes < FRAME_HEAD_BYTES) break;
      const length = this.#begin();
      if (length < 0) break;
      if (chunk.length - at >= length) {
        this.#headBytes = 0;
        this.#onMessage(chunk.subarray(at, at + length));
        at += length;
      } else {
        this.#message = Buffer.allocUnsafeSlow(length);
        this.#messageBytes = 0;
      }
    }
    return this.#problem;
  }

  #readHead(chunk: Buffer, at: number): number {
    const count = Math.min(FRAME_HEAD_BYTES - this.#headBytes, chunk.length - at);
    chunk.copy(this.#head, this.#headBytes, at, at + count);
    this.#headBytes += count;
    return count;
  }

  /** The length that the head announces, -1 when it is refused. */
  #begin(): number {
    if (this.#head[0] !== 0) {
      this.#problem = "compressed";
      return -1;
    }
    const length = this.#head.readUInt32BE(1);
    if (length > this.#messageBytesMax) {
      this.#problem = "tooLarge";
      return -1;
    }
    return length;
  }

  #fill(message: Buffer, chunk: Buffer, at: number): number {
    const count = Math.min(message.length - this.#messageBytes, chunk.length - at);
    chunk.copy(message, this.#messageBytes, at, at + count);
    this.#messageBytes += count;
    if (this.#messageBytes === message.length) {
      this.#message = null;
      this.#headBytes = 0;
      this.#onMessage(message);
    }
    return count;
  }
}
