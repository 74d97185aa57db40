import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  FUNCTION_TIMEOUT_DEFAULT_MS,
  type FunctionSpec,
  PAYLOAD_BYTES_MAX_GRPC_DEFAULT,
  PAYLOAD_BYTES_MAX_HTTP_DEFAULT,
} from "@penstock/core";
import type { fleet, mapping } from "@penstock/proto";

/** The functions of the registry, as last heard. A spec keeps its identity until its revision changes. */
export class FunctionCache {
  readonly #byName = new Map<string, FunctionSpec>();

  get(name: string): FunctionSpec | undefined {
    return this.#byName.get(name);
  }

  /** Takes a message; returns the names that changed. */
  apply(message: fleet.Functions): string[] {
    const changed: string[] = [];
    const named = new Set<string>();
    for (const stored of message.changed) {
      named.add(stored.name);
      if (this.#byName.get(stored.name)?.revision === stored.revision) continue;
      const spec = specOf(stored);
      if (spec === null) continue;
      this.#byName.set(stored.name, spec);
      changed.push(stored.name);
    }
    const gone = message.isSnapshot
      ? [...this.#byName.keys()].filter((name) => !named.has(name))
      : message.removed;
    for (const name of gone) if (this.#byName.delete(name)) changed.push(name);
    return changed;
  }
}

/** Null for a target that this version does not know: the function is then unknown here. */
function specOf(stored: mapping.Function): FunctionSpec | null {
  const { target } = stored;
  if (target.case === undefined) return null;
  const isHttp = target.case === "http";
  return {
    name: stored.name,
    revision: stored.revision,
    target: isHttp
      ? { kind: "http", url: target.value.url, headers: target.value.headers }
      : { kind: "grpc", address: target.value.address, tls: target.value.tls },
    timeoutMs:
      stored.timeout === undefined ? FUNCTION_TIMEOUT_DEFAULT_MS : durationMs(stored.timeout),
    maxConcurrency: stored.maxConcurrency ?? null,
    payloadBytesMax: Number(
      stored.payloadBytesMax ??
        (isHttp ? PAYLOAD_BYTES_MAX_HTTP_DEFAULT : PAYLOAD_BYTES_MAX_GRPC_DEFAULT),
    ),
  };
}
