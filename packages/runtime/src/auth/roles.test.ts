import { type ErrorCode, PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import type { Caller, Role } from "./caller.ts";
import { hasRole, isDenial, requireRole } from "./roles.ts";

const caller = (...roles: Role[]): Caller => ({
  subject: "ci",
  roles: new Set(roles),
  nodeId: null,
});

describe("hasRole", () => {
  it.each([
    ["viewer", ["viewer"]],
    ["operator", ["viewer", "operator"]],
    ["admin", ["viewer", "operator", "admin"]],
    ["node", ["node"]],
  ] as const)("%s may what %j may", (role, allowed) => {
    const all = ["viewer", "operator", "admin", "node"] as const;
    expect(all.filter((one) => hasRole(caller(role), one))).toEqual(allowed);
  });
});

describe("requireRole", () => {
  it("says what is needed and what the caller has", () => {
    expect(() => requireRole(caller("viewer"), "operator")).toThrow(
      "This needs the role operator; ci has viewer.",
    );
    expect(() => requireRole(caller(), "viewer")).toThrow("ci has none");
    expect(() => requireRole(caller("admin"), "operator")).not.toThrow();
  });
});

describe("isDenial", () => {
  it("S-10: is so for a role that is missing and for a secret that is not the caller's", () => {
    const of = (code: ErrorCode) => isDenial(new PenstockError(code, "no"));
    expect([of("permissionDenied"), of("secretDenied")]).toEqual([true, true]);
    expect([of("notFound"), isDenial(new Error("no")), isDenial(null)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});
