/** The package penstock.mapping.v1, whose messages lie in several files. */
export * from "./generated/penstock/mapping/v1/event_source_mapping_pb.ts";
export * from "./generated/penstock/mapping/v1/explain_pb.ts";
export * from "./generated/penstock/mapping/v1/function_pb.ts";
export * from "./generated/penstock/mapping/v1/mapping_pb.ts";
export * from "./generated/penstock/mapping/v1/mapping_service_pb.ts";
export * from "./generated/penstock/mapping/v1/source_access_pb.ts";
export * from "./generated/penstock/mapping/v1/tags_pb.ts";
export * from "./generated/penstock/mapping/v1/validate_pb.ts";
