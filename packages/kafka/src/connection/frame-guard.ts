/**
 * Follows the length prefixes of a response stream and says at the first byte it can whether a frame is acceptable.
 *
 * The library believes any length: a huge one is buffered without limit, a negative or zero one confuses its parser. Every
 * chunk passes here first; a refused chunk never reaches the library (F11).
 */
export class FrameGuard {
  readonly #bytesMax: number;
  /** Bytes of the present frame that are still to come; -1 while its length prefix is being read. */
  #rest = -1;
  #prefix = 0;
  #prefixBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** False: a length outside [4, bytesMax]; the connection must end. */
  accept(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#rest < 0) {
        this.#prefix = this.#prefix * 256 + (chunk[at++] as number);
        if (++this.#prefixBytes < 4) continue;
        // Four bytes of correlation id are the least; a negative length shows as one above 2^31.
        if (this.#prefix < 4 || this.#prefix > this.#bytesMax) return false;
        this.#rest = this.#prefix;
        this.#prefix = 0;
        this.#prefixBytes = 0;
      }
      const take = Math.min(this.#rest, chunk.length - at);
      at += take;
      this.#rest = this.#rest === take ? -1 : this.#rest - take;
    }
    return true;
  }
}
