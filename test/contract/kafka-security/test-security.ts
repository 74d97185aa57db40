/** A source's security whose secrets a test changes, and which remembers what was asked of it. */
import type {
  PenstockError,
  SaslCredentials,
  SourceCredentials,
  SourceSecurity,
  TlsCredentials,
} from "@penstock/core";

type Secrets = Omit<SourceCredentials, "version">;

export class TestSecurity implements SourceSecurity {
  readonly identity: string;
  readonly isTls: boolean;
  readonly asked: string[] = [];
  readonly refusals: string[] = [];
  #secrets: Secrets;
  #version = 1;
  #problem: PenstockError | null = null;

  constructor(identity: string, secrets: Secrets) {
    this.identity = identity;
    this.isTls = secrets.tls !== null;
    this.#secrets = secrets;
  }

  get secrets(): Secrets {
    return this.#secrets;
  }

  async credentials(host: string, port: number): Promise<SourceCredentials> {
    this.asked.push(`${host}:${port}`);
    if (this.#problem) throw this.#problem;
    return { version: String(this.#version), ...this.#secrets };
  }

  refused(version: string): void {
    this.refusals.push(version);
  }

  /** What is behind the references becomes another. */
  rotate(secrets: Partial<Secrets>): void {
    this.#secrets = { ...this.#secrets, ...secrets };
    this.#version++;
  }

  /** From now on there are no credentials. */
  deny(problem: PenstockError | null): void {
    this.#problem = problem;
  }
}

export function trust(ca: string | null): TlsCredentials {
  return { ca, certificate: null, privateKey: null, privateKeyPassword: null };
}

export function password(
  mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512",
  username: string,
  word: string,
): SaslCredentials {
  return { mechanism, username, password: word };
}

export function bearer(token: string): SaslCredentials {
  return { mechanism: "OAUTHBEARER", token, extensions: {} };
}
