/**
 * The nesting of JSON, counted before anything parses it: a parser that recurses must never see a body of ten thousand brackets.
 *
 * Feed it bytes in pieces of any size. It counts brackets outside strings and checks nothing else; whether the text is JSON at all is
 * for the parser to say.
 */
export const JSON_DEPTH_MAX = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export class JsonDepth {
  readonly #depthMax: number;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  constructor(depthMax = JSON_DEPTH_MAX) {
    this.#depthMax = depthMax;
  }

  /** False as soon as the text is nested deeper than the limit. */
  accept(bytes: Uint8Array): boolean {
    for (const byte of bytes) {
      if (this.#isInString) {
        this.#insideString(byte);
      } else if (byte === QUOTE) {
        this.#isInString = true;
      } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
        this.#depth++;
        if (this.#depth > this.#depthMax) return false;
      } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
        this.#depth--;
      }
    }
    return true;
  }

  /** Begins a new text. */
  reset(): void {
    this.#depth = 0;
    this.#isInString = false;
    this.#isEscaped = false;
  }

  #insideString(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isInString = false;
  }
}
