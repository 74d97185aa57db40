import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/**
 * Who makes a call, and what it may do.
 *
 * viewer reads; operator also changes mappings and tests; admin also functions, secrets and tokens; node alone joins the fleet and
 * streams invocations. Each of viewer, operator, admin includes the ones before it; node includes none.
 */
export const ROLES = ["viewer", "operator", "admin", "node"] as const;
export type Role = (typeof ROLES)[number];

/** What a node credential lets its holder be. */
export const NODE_SERVICES = ["poller", "invoker"] as const;
export type NodeService = (typeof NODE_SERVICES)[number];

export interface Caller {
  /** Whom events and the audit name: the name of a credential in the credentials file, or `jwt:` and the `sub` of a JSON Web Token. */
  readonly subject: string;
  readonly roles: ReadonlySet<Role>;
  /** The one node that a node credential belongs to, null for others and where node credentials are not bound. */
  readonly nodeId: string | null;
  /** What a node credential is for; absent for others, and for everybody while no credentials are configured. */
  readonly nodeServices?: ReadonlySet<NodeService>;
  /** Where the nodes of a node credential may say that they are, in lower case; absent: where they call from. */
  readonly nodeHosts?: ReadonlySet<string>;
}

/** Everybody, while no credentials are configured: that is possible on the loopback only. */
export const ANONYMOUS: Caller = {
  subject: "anonymous",
  roles: new Set(ROLES),
  nodeId: null,
};

/** Set by the authentication of the RPC server, for handlers and the audit. */
export const CALLER = createContextKey<Caller>(ANONYMOUS, { description: "caller" });

export function callerOf(context: Pick<HandlerContext, "values">): Caller {
  return context.values.get(CALLER);
}
