/** Outbound only: calls of functions over HTTP and gRPC, the address guard, and the wire of the invoke stream. */
export * from "./address/address-class.ts";
export * from "./address/address-guard.ts";
export * from "./address/guarded-connect.ts";
export * from "./grpc/grpc-frame-reader.ts";
export * from "./invoke-stream/stream-request.ts";
export * from "./invoke-stream/stream-response.ts";
export * from "./invoke-stream/wire-reader.ts";
export * from "./invoke-stream/wire-writer.ts";
export * from "./invoker/egress-limits.ts";
export * from "./invoker/function-invoker.ts";
export * from "./invoker/function-message.ts";
export * from "./invoker/invoker-core.ts";
export * from "./invoker/pause-detector.ts";
export * from "./outcome/call-result.ts";
