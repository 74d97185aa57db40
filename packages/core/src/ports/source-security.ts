import type { SourceAccess } from "../mapping/source-access.ts";

/**
 * The source security port: how connections to the brokers of one mapping are protected and authenticated.
 *
 *     mapping's source access ─▶ SourceSecurityProvider.open ─▶ SourceSecurity ─▶ credentials() before each connection and re-authentication
 *
 * Each process resolves the secrets that it connects with; what travels between processes is the references. Credentials are asked for
 * again whenever a connection is made or re-authenticated, so a rotated secret is used without a restart.
 */
export interface SourceSecurityProvider {
  /** Never fails: what is wrong with the secrets is said by `credentials`. An empty list is plaintext without authentication. */
  open(access: readonly SourceAccess[], bootstrapServers: readonly string[]): SourceSecurity;
}

export interface SourceSecurity {
  /**
   * Equal for mappings that may share a connection to the same brokers: made of the references, not of the secrets. Two mappings with other references
   * never share one.
   */
  readonly identity: string;
  /** Whether connections are protected by TLS. */
  readonly isTls: boolean;
  /**
   * What to connect with now, for the broker `host` (a bootstrap name, or one that the cluster advertised).
   *
   * @throws PenstockError `secretMissing`, `secretMalformed`, `secretDenied` (its policy does not list that host), `secretUnavailable` (the store or
   * token endpoint does not answer), `addressDenied` (the address guard does not let either be dialled). Messages name the reference, never the content.
   */
  credentials(host: string, port: number): Promise<SourceCredentials>;
  /**
   * The brokers refused what `credentials` gave under that version: the next call reads the secrets again instead of answering from the cache.
   */
  refused(version: string): void;
}

export interface SourceCredentials {
  /** Changes when what is behind the references does (a digest that can't be reversed); for `refused`, and to notice a rotation. */
  readonly version: string;
  readonly tls: TlsCredentials | null;
  readonly sasl: SaslCredentials | null;
}

/** PEM texts. */
export interface TlsCredentials {
  /** Roots to verify the broker with; null = the system's. */
  readonly ca: string | null;
  /** Chain and key of the client, for mutual TLS. */
  readonly certificate: string | null;
  readonly privateKey: string | null;
  readonly privateKeyPassword: string | null;
}

export type SaslCredentials =
  | {
      readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: "OAUTHBEARER";
      readonly token: string;
      /** SASL extensions (KIP-342), such as `logicalCluster`. */
      readonly extensions: Readonly<Record<string, string>>;
    };
