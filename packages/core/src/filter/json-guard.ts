const QUOTE = 34;
const BACKSLASH = 92;
/** `{` and `[` differ in bit 5 alone, as do `}` and `]`. */
const CASE_BIT = 32;
const OPEN = 123;
const CLOSE = 125;

/**
 * Whether JSON text nests deeper than `depthMax`, found without parsing (S-17). What is not JSON gets some answer.
 *
 * Most texts hold fewer brackets than that in all, and are counted in one cheap pass.
 */
export function isDeeperThan(text: Uint8Array, depthMax: number): boolean {
  let opened = 0;
  for (let at = 0; at < text.length; at++) {
    if (((text[at] as number) | CASE_BIT) === OPEN) opened++;
  }
  return opened > depthMax && depthOf(text) > depthMax;
}

function depthOf(text: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number;
    if (isInString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) {
      isInString = true;
    } else if ((byte | CASE_BIT) === OPEN) {
      depth++;
      if (depth > deepest) deepest = depth;
    } else if ((byte | CASE_BIT) === CLOSE) {
      depth--;
    }
  }
  return deepest;
}

/** Whether the text starts like an object or a list. */
export function startsNested(text: Uint8Array): boolean {
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number;
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) {
      return (byte | CASE_BIT) === OPEN;
    }
  }
  return false;
}
