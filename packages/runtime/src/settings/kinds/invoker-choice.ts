import { bad, good, type Setting } from "../setting.ts";
import { addressProblem } from "./network-address.ts";
import { splitList } from "./setting-kinds.ts";

/** Which invokers a poller uses: those that the fleet announces, one in its own process, or a fixed list. */
export type InvokerChoice =
  | { readonly kind: "fleet" }
  | { readonly kind: "embedded" }
  | { readonly kind: "addresses"; readonly addresses: readonly string[] };

/** Unset = the fleet's, `embedded`, or `host:port[,host:port]`. */
export function invokerChoice(said: { name: string; description: string }): Setting<InvokerChoice> {
  return {
    ...said,
    kind: "embedded, or host:port[,host:port]",
    isSecret: false,
    defaultText: null,
    fallback: good({ kind: "fleet" }),
    read(value) {
      if (value === "embedded") return good({ kind: "embedded" });
      const addresses = splitList(value);
      if (addresses.length === 0 || addresses.some((item) => addressProblem(item) !== null)) {
        return bad("must be embedded, or host:port[,host:port]");
      }
      return good({ kind: "addresses", addresses: Object.freeze(addresses) });
    },
  };
}
