/**
 * How costly the password of an encrypted PKCS#8 key is to check. Keys state that themselves (RFC 8018, RFC 7914), and deriving runs on the loop that everything
 * else runs on: a key that asks for an hour must not get it.
 */
const ITERATIONS_MAX = 1_000_000;
/** Cost × block size × parallelism of scrypt; openssl's own is 2^17. */
const SCRYPT_COST_MAX = 2 ** 22;
const SCRYPT_OID = Buffer.from("060b2b06010401da47040b", "hex");
const DEPTH_MAX = 12;
const INTEGER = 0x02;
const SEQUENCE = 0x30;

/** Whether the derivation stays within the limits; of bytes that are no such key too, which OpenSSL refuses at once. */
export function isCheapToDecrypt(pem: string): boolean {
  const body = /-----BEGIN ENCRYPTED PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(pem)?.[1];
  const der = Buffer.from(body ?? "", "base64");
  const outer = readValue(der);
  const algorithm = outer === null ? null : readValue(outer.content);
  if (algorithm === null) return true;
  const numbers = integersIn(algorithm.content, 0);
  if (algorithm.content.includes(SCRYPT_OID)) {
    return numbers.reduce((cost, number) => cost * number, 1) <= SCRYPT_COST_MAX;
  }
  return numbers.every((number) => number <= ITERATIONS_MAX);
}

function integersIn(bytes: Buffer, depth: number): number[] {
  const numbers: number[] = [];
  let rest = bytes;
  while (depth < DEPTH_MAX) {
    const value = readValue(rest);
    if (value === null) break;
    if (value.tag === INTEGER) numbers.push(toNumber(value.content));
    else if (value.tag === SEQUENCE) numbers.push(...integersIn(value.content, depth + 1));
    rest = value.rest;
  }
  return numbers;
}

function toNumber(bytes: Buffer): number {
  return bytes.length > 6 ? Number.POSITIVE_INFINITY : Number(`0x${bytes.toString("hex") || "0"}`);
}

/** One DER value; null when there is none, or when it is longer than what is there. */
function readValue(bytes: Buffer): { tag: number; content: Buffer; rest: Buffer } | null {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined) return null;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || bytes.length < 2 + lengthBytes) return null;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  const start = 2 + lengthBytes;
  if (bytes.length < start + length) return null;
  return {
    tag,
    content: bytes.subarray(start, start + length),
    rest: bytes.subarray(start + length),
  };
}
