/**
 * The client's side of SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, and neither shows it.
 *
 *   first ─▶ server's first ─▶ final(…) ─▶ server's last ─▶ verify(…)
 *
 * Always true: nothing derived from the password leaves before the server's nonce extends ours and its iteration count is within the limits; the
 * server is believed only after `verify`. Without channel binding (`n,,`), which Kafka doesn't offer; the connection is TLS.
 */
import { createHash, createHmac, pbkdf2, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);

/** The server broke the exchange, or doesn't know the password. The text is safe to show. */
export class ScramFault extends Error {
  override readonly name = "ScramFault";
}

export type ScramHash = "sha1" | "sha256" | "sha512";

const GS2_HEADER = "n,,";
/** RFC 7677: at least 4096. Fewer would make a stolen exchange cheap to break. */
const ITERATIONS_MIN = 4_096;
/** Beyond it a server only wants our processor. Kafka's own limit is 16 384. */
const ITERATIONS_MAX = 1_000_000;
const MESSAGE_BYTES_MAX = 4_096;

export interface ScramOptions {
  readonly hash: ScramHash;
  readonly username: string;
  readonly password: string;
  /** Printable ASCII without a comma, at least 18 random bytes' worth. */
  readonly nonce: string;
}

export class Scram {
  readonly #options: ScramOptions;
  readonly #bare: string;
  #serverSignature: Buffer | null = null;

  constructor(options: ScramOptions) {
    this.#options = options;
    // Kafka's servers take names and passwords as plain UTF-8, without SASLprep.
    this.#bare = `n=${saslName(options.username)},r=${options.nonce}`;
  }

  /** The first message. */
  first(): string {
    return GS2_HEADER + this.#bare;
  }

  /** The final message, for the server's first one. Throws ScramFault. */
  async final(serverFirst: string): Promise<string> {
    const { hash, password, nonce } = this.#options;
    const fields = parse(serverFirst);
    const [r, s, i] = [fields.get("r"), fields.get("s"), fields.get("i")];
    if (fields.has("m")) throw new ScramFault("the server asks for an unknown SCRAM extension");
    if (!r?.startsWith(nonce) || r.length === nonce.length)
      throw new ScramFault("the server's nonce does not extend ours");
    const salt = Buffer.from(s ?? "", "base64");
    if (salt.length === 0) throw new ScramFault("the server sent no salt");
    const iterations = /^[0-9]{1,9}$/.test(i ?? "") ? Number(i) : 0;
    if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX)
      throw new ScramFault(
        `the server asks for ${iterations} iterations; ${ITERATIONS_MIN} to ${ITERATIONS_MAX} are accepted`,
      );
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString("base64")},r=${r}`;
    const message = `${this.#bare},${serverFirst},${withoutProof}`;
    const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
    const bytes = createHash(hash).digest().length;
    const salted = await derive(Buffer.from(password), salt, iterations, bytes, hash);
    const clientKey = hmac(salted, "Client Key");
    const storedKey = createHash(hash).update(clientKey).digest();
    const signature = hmac(storedKey, message);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] as number)));
    this.#serverSignature = hmac(hmac(salted, "Server Key"), message);
    return `${withoutProof},p=${proof.toString("base64")}`;
  }

  /** Whether the server knows the password too. Throws ScramFault when not. */
  verify(serverLast: string): void {
    const fields = parse(serverLast);
    if (fields.has("e")) throw new ScramFault("the server refuses the credentials");
    const given = Buffer.from(fields.get("v") ?? "", "base64");
    const expected = this.#serverSignature;
    if (!expected || given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new ScramFault("the server could not prove that it knows the password");
  }
}

function saslName(text: string): string {
  return text.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

/** `a=…,b=…`; the first of each letter counts. */
function parse(message: string): Map<string, string> {
  if (message.length > MESSAGE_BYTES_MAX) throw new ScramFault("the server's message is too long");
  const fields = new Map<string, string>();
  for (const part of message.split(",")) {
    const letter = part[0] ?? "";
    if (part[1] !== "=") throw new ScramFault("the server's message is not SCRAM");
    if (!fields.has(letter)) fields.set(letter, part.slice(2));
  }
  return fields;
}
