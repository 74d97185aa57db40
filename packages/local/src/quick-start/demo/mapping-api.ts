/** Calls of the mapping service in Connect's JSON form over its HTTP port. No generated code: the quick start is a user like any other. */
import { setTimeout as delay } from "node:timers/promises";
import { PenstockError } from "@penstock/core";

const CALL_LIMIT_MS = 10_000;
const TRIES_LIMIT_MS = 60_000;
const AGAIN_MS = 250;

export interface MappingSummary {
  uuid: string;
  topics?: string[];
  selfManagedEventSource?: { endpoints?: { kafkaBootstrapServers?: string[] } };
}

export class MappingApi {
  readonly #url: string;
  readonly #signal: AbortSignal;
  readonly #token: string | null;

  /** `address`: host:port of the HTTP port. Calls end when `signal` aborts, and show the token when there is one. */
  constructor(address: string, signal: AbortSignal, token: string | null = null) {
    this.#url = `http://${address}`;
    this.#signal = signal;
    this.#token = token;
  }

  /** Creates or replaces a function. */
  async putFunction(definition: object): Promise<void> {
    await this.#call("FunctionService/PutFunction", { function: definition });
  }

  /** The mappings of a function, at most a hundred. */
  async mappingsOf(functionName: string): Promise<readonly MappingSummary[]> {
    const answer = await this.#call("MappingService/ListEventSourceMappings", { functionName });
    return (answer as { eventSourceMappings?: MappingSummary[] }).eventSourceMappings ?? [];
  }

  async createMapping(request: object): Promise<MappingSummary> {
    const answer = await this.#call("MappingService/CreateEventSourceMapping", request);
    return (answer as { eventSourceMapping: MappingSummary }).eventSourceMapping;
  }

  /** One call, again while the service is away. */
  async #call(method: string, request: object): Promise<unknown> {
    const deadline = performance.now() + TRIES_LIMIT_MS;
    for (;;) {
      const answer = await this.#once(method, request);
      if (answer.status === 200) return JSON.parse(answer.text);
      const isAway = answer.status === 0 || answer.status === 503;
      if (!isAway || performance.now() > deadline) {
        throw new PenstockError("unavailable", `${method} failed: ${answer.text}`);
      }
      await delay(AGAIN_MS, undefined, { signal: this.#signal });
    }
  }

  async #once(method: string, request: object): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(`${this.#url}/penstock.mapping.v1.${method}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "connect-protocol-version": "1",
          ...(this.#token !== null && { authorization: `Bearer ${this.#token}` }),
        },
        body: JSON.stringify(request),
        signal: AbortSignal.any([this.#signal, AbortSignal.timeout(CALL_LIMIT_MS)]),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      this.#signal.throwIfAborted();
      return { status: 0, text: String(cause) };
    }
  }
}
