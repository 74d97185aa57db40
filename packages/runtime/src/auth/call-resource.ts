import { createContextKey, type HandlerContext } from "@connectrpc/connect";

const RESOURCE_LENGTH_MAX = 200;

/** What a call is about, for the line that remembers it. */
export const CALL_RESOURCE = createContextKey<string | null>(null, { description: "resource" });

/**
 * Called by the handler of an audited call that leaves no other trace of what it was about. The text may be as the caller sent it: it is
 * made printable and cut.
 */
export function noteResource(context: Pick<HandlerContext, "values">, resource: string): void {
  const text = resource.slice(0, RESOURCE_LENGTH_MAX).replaceAll(/[^\x20-\x7e]/g, "?");
  context.values.set(CALL_RESOURCE, text);
}
