import { PenstockError } from "@penstock/core";
import type { Caller, Role } from "./caller.ts";

/** What each role may do besides its own: the ladder viewer, operator, admin; node stands beside it. */
const GRANTED_BY: Readonly<Record<Role, readonly Role[]>> = {
  viewer: ["viewer", "operator", "admin"],
  operator: ["operator", "admin"],
  admin: ["admin"],
  node: ["node"],
};

export function hasRole(caller: Caller, role: Role): boolean {
  return GRANTED_BY[role].some((granting) => caller.roles.has(granting));
}

/** Whether a known caller was refused: for want of a role, or by the policy of a secret. */
export function isDenial(error: unknown): boolean {
  return (
    error instanceof PenstockError &&
    (error.code === "permissionDenied" || error.code === "secretDenied")
  );
}

/** @throws PenstockError `permissionDenied` that names the role and what the caller has */
export function requireRole(caller: Caller, role: Role): void {
  if (hasRole(caller, role)) return;
  const own = [...caller.roles].join(", ");
  throw new PenstockError(
    "permissionDenied",
    `This needs the role ${role}; ${caller.subject} has ${own === "" ? "none" : own}.`,
  );
}
