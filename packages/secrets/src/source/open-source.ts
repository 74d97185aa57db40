import {
  type Clock,
  PenstockError,
  type SaslCredentials,
  type SourceCredentials,
  type SourceSecurity,
  type TlsCredentials,
} from "@penstock/core";
import type { SecretStore } from "../cache/secret-store.ts";
import { concealed, type SecretValue, versionOf } from "../cache/secret-value.ts";
import type { TokenRequester } from "../oauth/request-token.ts";
import { TokenSource } from "../oauth/token-source.ts";
import type { SecretPolicies } from "../policy/secret-policies.ts";
import { type SecretReference, SYSTEM_ROOTS } from "../reference/secret-reference.ts";
import { readLogin } from "../values/read-login.ts";
import { readOAuthClient } from "../values/read-oauth.ts";
import { readClientIdentity, readRoots } from "../values/read-tls.ts";
import type { SourcePlan } from "./source-plan.ts";

/** What every source of a process shares. */
export interface SourceContext {
  readonly store: SecretStore;
  readonly policies: SecretPolicies;
  readonly clock: Clock;
  readonly requester: TokenRequester;
  /** host:port of brokers that may have passwords and tokens without TLS; a setting for development. */
  readonly plaintextBrokers: ReadonlySet<string>;
}

/**
 * The security of one source, shared by all mappings with the same references.
 *
 *     credentials(host, port): policy of each secret for that broker ─▶ secrets, cached ─▶ checked ─▶ token, cached
 *
 * The policy is asked at each call: a secret goes to no broker that it doesn't list, whichever name the cluster advertised.
 */
export class OpenSource implements SourceSecurity {
  readonly identity: string;
  readonly isTls: boolean;
  readonly #context: SourceContext;
  readonly #plan: SourcePlan;
  readonly #tokens: TokenSource | null;
  /** What was made of each secret, by reference and use; as many as the plan has. */
  readonly #made = new Map<string, { readonly secret: SecretValue; readonly value: unknown }>();
  #last: { readonly version: string; readonly secrets: ReadonlyMap<string, SecretValue> } | null =
    null;

  constructor(context: SourceContext, plan: SourcePlan, identity: string, isTls: boolean) {
    this.#context = context;
    this.#plan = plan;
    this.identity = identity;
    this.isTls = isTls;
    this.#tokens =
      plan.oauth === null
        ? null
        : new TokenSource(context.requester, {
            uri: plan.oauth.reference.uri,
            scope: plan.oauth.scope,
            audience: plan.oauth.audience,
          });
  }

  async credentials(host: string, port: number): Promise<SourceCredentials> {
    const { references } = this.#plan;
    const { policies, store } = this.#context;
    this.#assertProtected(host, port);
    await Promise.all(references.map((reference) => policies.assertBroker(reference, host, port)));
    const secrets = new Map<string, SecretValue>();
    await Promise.all(
      references.map(async (reference) => {
        secrets.set(reference.uri, await store.read(reference));
      }),
    );
    const tls = this.isTls ? this.#tls(secrets) : null;
    const sasl = await this.#sasl(secrets);
    const version = versionOf(...references.map(({ uri }) => secrets.get(uri)?.version ?? ""));
    this.#last = { version, secrets };
    return concealed({ version, tls, sasl });
  }

  refused(version: string): void {
    if (this.#last?.version !== version) return;
    for (const [uri, secret] of this.#last.secrets) {
      this.#context.store.refused(uri, secret.version);
    }
    this.#tokens?.refused();
  }

  /** Passwords and tokens go over TLS, but for the brokers that the operator listed. */
  #assertProtected(host: string, port: number): void {
    const { login, oauth } = this.#plan;
    if (this.isTls || (login === null && oauth === null)) return;
    if (this.#context.plaintextBrokers.has(brokerKey(host, port))) return;
    throw new PenstockError(
      "secretDenied",
      `The credentials would go to ${host}:${port} without TLS: the broker is not listed in PENSTOCK_PLAINTEXT_SASL_BROKERS.`,
    );
  }

  #tls(secrets: ReadonlyMap<string, SecretValue>): TlsCredentials {
    const { roots, identity } = this.#plan;
    const wallMs = this.#context.clock.wallMs();
    const ca =
      roots === null || roots === SYSTEM_ROOTS
        ? null
        : this.#make("roots", roots, secrets, (text) => readRoots(roots.uri, text, wallMs));
    const client =
      identity === null
        ? null
        : this.#make("identity", identity, secrets, (text) =>
            concealed(readClientIdentity(identity.uri, text, wallMs)),
          );
    return concealed({
      ca,
      certificate: client?.certificate ?? null,
      privateKey: client?.privateKey ?? null,
      // The key is plain by now.
      privateKeyPassword: null,
    });
  }

  async #sasl(secrets: ReadonlyMap<string, SecretValue>): Promise<SaslCredentials | null> {
    const { login, oauth } = this.#plan;
    if (login !== null) {
      const { mechanism, reference } = login;
      const { username, password } = this.#make("login", reference, secrets, (text) =>
        concealed(readLogin(reference.uri, text)),
      );
      return concealed<SaslCredentials>({ mechanism, username, password });
    }
    if (oauth === null || this.#tokens === null) return null;
    const { reference, extensions } = oauth;
    const client = this.#make("oauth", reference, secrets, (text) =>
      readOAuthClient(reference.uri, text),
    );
    const token = await this.#token(client, reference, secrets);
    return concealed<SaslCredentials>({ mechanism: "OAUTHBEARER", token, extensions });
  }

  /** A client that the endpoint refuses may have been rotated there: its secret is read again for the next call. */
  async #token(
    client: Parameters<TokenSource["token"]>[0],
    { uri }: SecretReference,
    secrets: ReadonlyMap<string, SecretValue>,
  ): Promise<string> {
    const version = secrets.get(uri)?.version ?? "";
    try {
      return (await this.#tokens?.token(client, version)) ?? "";
    } catch (error) {
      this.#context.store.refused(uri, version);
      throw error;
    }
  }

  #make<T>(
    use: string,
    { uri }: SecretReference,
    secrets: ReadonlyMap<string, SecretValue>,
    make: (text: string) => T,
  ): T {
    const secret = secrets.get(uri);
    if (secret === undefined) throw new TypeError(`${uri} was not read`);
    const made = this.#made.get(use);
    if (made?.secret === secret) return made.value as T;
    const value = make(secret.reveal());
    this.#made.set(use, { secret, value });
    return value;
  }
}

/** A broker as the setting for plaintext lists it. */
export function brokerKey(host: string, port: number): string {
  return `${host.toLowerCase()}:${port}`;
}
