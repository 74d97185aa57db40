import type { Socket } from "node:net";
import { dueMs, flipBits, type LinkFaults } from "./link-faults.ts";

/** Above this the sender is asked to wait, so that a slow link holds bounded memory. */
const QUEUED_BYTES_MAX = 1024 * 1024;

/** Sees every piece of one direction and passes on what it returns; null: nothing (yet). */
export type Inspect = (piece: Buffer) => Buffer | null | "reset";

/**
 * One direction of one proxied connection: takes what `from` sends, and writes it to `to` as the faults of the moment say.
 * Order is kept, an end is passed on after the last byte.
 */
export class Link {
  /** Bytes that were taken and not passed on. */
  swallowed = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: () => LinkFaults;
  readonly #reset: () => void;
  readonly #queue: { readonly dueMs: number; readonly piece: Buffer }[] = [];
  #queuedBytes = 0;
  #lastMs = 0;
  #taken = 0;
  #passed = 0;
  #hasEnded = false;
  #isWriting = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    from: Socket,
    to: Socket,
    faults: () => LinkFaults,
    reset: () => void,
    inspect: Inspect = (piece) => piece,
  ) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    this.#reset = reset;
    from.on("data", (piece: Buffer) => {
      const passed = inspect(piece);
      if (passed === "reset") reset();
      else if (passed !== null) this.#take(passed);
    });
    from.on("end", () => {
      this.#hasEnded = true;
      this.#pump();
    });
    from.on("close", () => this.#stop());
    to.on("close", () => this.#stop());
  }

  /** Ends this direction alone: the receiver reads an end, and may still write. */
  halfClose(): void {
    this.#hasEnded = true;
    this.#pump();
  }

  #take(piece: Buffer): void {
    const faults = this.#faults();
    if (faults.isSilent) {
      this.swallowed += piece.length;
      return;
    }
    let sent = piece;
    if (faults.flipEveryBytes !== undefined) {
      sent = flipBits(piece, faults.flipEveryBytes, this.#taken);
    }
    this.#taken += piece.length;
    const nowMs = performance.now();
    this.#lastMs = dueMs(faults, piece.length, nowMs, this.#lastMs, Math.random());
    this.#queue.push({ dueMs: this.#lastMs, piece: sent });
    this.#queuedBytes += piece.length;
    if (this.#queuedBytes > QUEUED_BYTES_MAX) this.#from.pause();
    this.#pump();
  }

  #pump(): void {
    if (this.#isWriting || this.#timer !== null || this.#to.destroyed) return;
    const head = this.#queue[0];
    if (head === undefined) {
      if (this.#hasEnded) this.#to.end();
      return;
    }
    const waitMs = head.dueMs - performance.now();
    if (waitMs > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#pump();
      }, waitMs);
      return;
    }
    this.#queue.shift();
    this.#isWriting = true;
    this.#write(head.piece, () => {
      this.#isWriting = false;
      this.#queuedBytes -= head.piece.length;
      if (this.#queuedBytes <= QUEUED_BYTES_MAX) this.#from.resume();
      this.#pump();
    });
  }

  #write(piece: Buffer, done: () => void): void {
    const { bytesPerWrite = piece.length, cutAfterBytes = Number.POSITIVE_INFINITY } =
      this.#faults();
    const left = cutAfterBytes - this.#passed;
    const now = piece.subarray(0, Math.max(0, Math.min(bytesPerWrite, left)));
    this.#passed += now.length;
    this.#to.write(now, (error) => {
      if (error) return;
      if (this.#passed >= cutAfterBytes) this.#reset();
      else if (now.length < piece.length) this.#write(piece.subarray(now.length), done);
      else done();
    });
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#queue.length = 0;
  }
}
