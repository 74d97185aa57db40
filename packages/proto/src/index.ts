/**
 * The contract of Penstock in TypeScript: types and descriptors generated from `proto/` by `npm run generate`.
 * One namespace for each proto package; nothing here is written by hand.
 */
export * as fleet from "./generated/penstock/fleet/v1/fleet_pb.ts";
export * as fn from "./generated/penstock/function/v1/function_pb.ts";
export * as invoker from "./generated/penstock/invoker/v1/invoker_pb.ts";
export * as poller from "./generated/penstock/poller/v1/poller_pb.ts";
export * as mapping from "./mapping.ts";
