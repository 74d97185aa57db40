import type { DescService } from "@bufbuild/protobuf";
import * as proto from "@penstock/proto";
import { describe, expect, it } from "vitest";
import { Health } from "../rpc/generated/grpc/health/v1/health_pb.ts";
import { ServerReflection as ReflectionV1 } from "../rpc/generated/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ReflectionV1Alpha } from "../rpc/generated/grpc/reflection/v1alpha/reflection_pb.ts";
import { accessOf, METHOD_ROLES } from "./method-roles.ts";

/** Whatever the contract declares, but for what functions serve themselves. */
const services: readonly DescService[] = [
  ...Object.values(proto).flatMap((module) => Object.values(module).filter(isService)),
  ...[Health, ReflectionV1, ReflectionV1Alpha],
].filter(({ typeName }) => typeName !== "penstock.function.v1.KafkaFunctionService");

function isService(value: unknown): value is DescService {
  return typeof value === "object" && (value as { kind?: unknown } | null)?.kind === "service";
}

const paths = services.flatMap(({ typeName, methods }) =>
  methods.map(({ name }) => `/${typeName}/${name}`),
);

describe("METHOD_ROLES", () => {
  it("S-10: says of every method of every descriptor who may call it, and of nothing else", () => {
    expect(paths.length).toBeGreaterThan(20);
    expect(Object.keys(METHOD_ROLES).sort()).toEqual([...paths].sort());
  });

  it("S-10: lets everybody do nothing but ask for health", () => {
    const open = Object.keys(METHOD_ROLES).filter((path) => accessOf(path) === "everybody");
    expect(open.every((path) => path.startsWith("/grpc.health.v1.Health/"))).toBe(true);
  });

  it("S-10: lets nodes alone join and stream invocations", () => {
    const forNodes = Object.keys(METHOD_ROLES).filter((path) => accessOf(path) === "node");
    expect(forNodes.sort()).toEqual([
      "/penstock.fleet.v1.FleetService/GetPositions",
      "/penstock.fleet.v1.FleetService/Join",
      "/penstock.invoker.v1.InvokerService/InvokeStream",
    ]);
  });

  it("S-16: knows no method that is a name of JavaScript", () => {
    for (const path of ["__proto__", "constructor", "toString"]) expect(accessOf(path)).toBeNull();
  });
});
