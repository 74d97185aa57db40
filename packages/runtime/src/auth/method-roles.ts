/**
 * What each RPC needs, in one table by full name. A method that is not here is refused, so a new one is closed until somebody decides.
 *
 * Handlers ask for more where the request decides (`ValidateEventSourceMapping` with `reach_brokers`: operator), and for whose node it is.
 */
import type { Role } from "./caller.ts";

/** Health: for load balancers and probes, which have no credentials. */
export type MethodAccess = Role | "everybody";

const READS = "viewer";
const CHANGES = "operator";

export const METHOD_ROLES: Readonly<Record<string, MethodAccess>> = {
  ...service("penstock.mapping.v1.MappingService", {
    CreateEventSourceMapping: CHANGES,
    GetEventSourceMapping: READS,
    ListEventSourceMappings: READS,
    UpdateEventSourceMapping: CHANGES,
    DeleteEventSourceMapping: CHANGES,
    WatchEventSourceMapping: READS,
    ValidateEventSourceMapping: READS,
    TestFilter: CHANGES,
    ExplainEventSourceMapping: READS,
    ListEventSourceMappingEvents: READS,
    TagResource: CHANGES,
    UntagResource: CHANGES,
    ListTags: READS,
  }),
  ...service("penstock.mapping.v1.FunctionService", {
    PutFunction: "admin",
    GetFunction: READS,
    ListFunctions: READS,
    DeleteFunction: "admin",
  }),
  ...service("penstock.fleet.v1.FleetService", { Join: "node", GetPositions: "node" }),
  ...service("penstock.poller.v1.PollerService", { DescribePoller: READS, Drain: CHANGES }),
  ...service("penstock.invoker.v1.InvokerService", { Invoke: CHANGES, InvokeStream: "node" }),
  ...service("grpc.reflection.v1.ServerReflection", { ServerReflectionInfo: READS }),
  ...service("grpc.reflection.v1alpha.ServerReflection", { ServerReflectionInfo: READS }),
  ...service("grpc.health.v1.Health", {
    Check: "everybody",
    List: "everybody",
    Watch: "everybody",
  }),
};

function service(
  name: string,
  methods: Readonly<Record<string, MethodAccess>>,
): Record<string, MethodAccess> {
  return Object.fromEntries(
    Object.entries(methods).map(([method, access]) => [`/${name}/${method}`, access]),
  );
}

/** @param path `/package.Service/Method`; null: nobody may */
export function accessOf(path: string): MethodAccess | null {
  return Object.hasOwn(METHOD_ROLES, path) ? (METHOD_ROLES[path] ?? null) : null;
}
