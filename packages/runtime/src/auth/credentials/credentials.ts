import type { Secret } from "../../secrets/secret.ts";
import type { Caller } from "../caller.ts";

/** One way to prove who one is, as the credentials file lists it. */
export interface Credential {
  readonly caller: Caller;
  /** Null = never. */
  readonly expiresAtMs: number | null;
}

export interface AccessKey extends Credential {
  readonly id: string;
  readonly secretAccessKey: Secret;
}

/** Everybody whom a credentials file knows. Each lookup is one step, however many there are. */
export interface Credentials {
  /** By the SHA-256 of the token, in lower-case hex. */
  readonly tokens: ReadonlyMap<string, Credential>;
  /** By `subject:<subject>`, `dns:<name>`, `uri:<uri>` or `email:<address>`. */
  readonly certificates: ReadonlyMap<string, Credential>;
  /** By access key id. */
  readonly accessKeys: ReadonlyMap<string, AccessKey>;
}

export const NO_CREDENTIALS: Credentials = {
  tokens: new Map(),
  certificates: new Map(),
  accessKeys: new Map(),
};
