import type { Message } from "@bufbuild/protobuf";
import type { IdempotentRequest } from "../commands/mapping-commands.ts";

type Repeatable = Message & { readonly requestId?: string | undefined };

/** What makes a call idempotent; undefined when it carries no request id. */
export function idempotent(message: Repeatable): IdempotentRequest | undefined {
  const { requestId: id, ...body } = message;
  if (id === undefined) return undefined;
  // penstock.mapping.v1.TagResourceRequest is the request of TagResource.
  const method = message.$typeName.replace(/^.*\./, "").replace(/Request$/, "");
  return { method, id, body };
}
