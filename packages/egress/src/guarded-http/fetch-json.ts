import { PenstockError } from "@penstock/core";
import { type AddressSettings, createAddressGuards } from "../address/address-guards.ts";
import { createGuardedHttp } from "./guarded-http.ts";

/**
 * Gets the key sets that callers' tokens are verified with, behind their guard. Plain HTTP reaches this machine only.
 *
 * @returns rejects with the codes of {@link createGuardedHttp}, and `unavailable` for an answer that isn't 200 or isn't JSON
 */
export function createKeySetFetch(settings: AddressSettings): (url: string) => Promise<unknown> {
  const guards = createAddressGuards({ settings, ownPorts: () => [] });
  const http = createGuardedHttp({
    guard: guards.of("keySets"),
    allowPlainHttp: ({ hostname }) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname),
  });
  return async (url) => {
    const { status, body } = await http.request({ url, headers: { accept: "application/json" } });
    if (status !== 200) throw new PenstockError("unavailable", `The answer has status ${status}.`);
    try {
      return JSON.parse(body.toString());
    } catch (cause) {
      throw new PenstockError("unavailable", "The answer is not JSON.", { cause });
    }
  };
}
