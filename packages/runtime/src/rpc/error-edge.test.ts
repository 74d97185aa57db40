import { inspect } from "node:util";
import { Code, ConnectError } from "@connectrpc/connect";
import { ERROR_TABLE, type ErrorCode, PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { toConnectError, toPenstockError } from "./error-edge.ts";
import { BadRequestSchema, ErrorInfoSchema } from "./generated/google/rpc/error_details_pb.ts";

const CODES = Object.keys(ERROR_TABLE) as ErrorCode[];

describe("toConnectError", () => {
  it.each(CODES)("gives %s the status of the error table and its code as reason", (code) => {
    const { error } = toConnectError(new PenstockError(code, "Say what to change."));
    const [info] = error.findDetails(ErrorInfoSchema);
    expect(Code[error.code].toUpperCase()).toBe(
      ERROR_TABLE[code].rpc.replace("CANCELLED", "CANCELED").replaceAll("_", ""),
    );
    expect(info).toMatchObject({ reason: code, domain: "penstock" });
  });

  it("names the fields that are wrong", () => {
    const violations = [{ field: "batch_size", description: "must be 1 to 10000" }];
    const { error } = toConnectError(new PenstockError("invalidArgument", "Bad.", { violations }));
    const [badRequest] = error.findDetails(BadRequestSchema);
    expect(badRequest?.fieldViolations).toMatchObject(violations);
  });

  it("S-24: shows nothing of a cause, a bug or an internal error", () => {
    const secret = new Error("password=hunter2");
    const outgoing = [
      toConnectError(secret),
      toConnectError("hunter2"),
      toConnectError(undefined),
      toConnectError(new PenstockError("internal", "hunter2", { cause: secret })),
      toConnectError(new ConnectError("hunter2", Code.Unknown)),
      toConnectError(new ConnectError("hunter2", Code.Internal)),
    ];
    for (const { error, isBug } of outgoing) {
      expect(isBug).toBe(true);
      expect(error.code).toBe(Code.Internal);
      expect(error.rawMessage).toBe("internal error");
    }
    const { error } = toConnectError(new PenstockError("unavailable", "Safe.", { cause: secret }));
    expect(error.cause).toBeUndefined();
    expect(inspect(error, { depth: 3 })).not.toContain("hunter2");
  });

  it("keeps the code of what the RPC library finds wrong", () => {
    const error = new ConnectError("too large", Code.ResourceExhausted);
    expect(toConnectError(error)).toEqual({ error, isBug: false });
  });
});

describe("toPenstockError", () => {
  it.each(CODES.filter((code) => code !== "internal"))("undoes toConnectError for %s", (code) => {
    const violations = [{ field: "a.b", description: "is wrong" }];
    const original = new PenstockError(code, "Message.", { violations });
    expect(toPenstockError(toConnectError(original).error)).toMatchObject({
      code,
      message: "Message.",
      violations,
    });
  });

  it("goes by the status when the peer gives no reason that we know", () => {
    expect(toPenstockError(new ConnectError("x", Code.Unavailable)).code).toBe("unavailable");
    const foreign = new ConnectError("x", Code.NotFound, undefined, [
      { desc: ErrorInfoSchema, value: { domain: "penstock", reason: "__proto__" } },
    ]);
    expect(toPenstockError(foreign).code).toBe("notFound");
  });

  it("keeps what is none of a peer's private", () => {
    const error = toPenstockError(new Error("hunter2"));
    expect(error).toMatchObject({ code: "internal", message: "internal error" });
    const penstock = new PenstockError("aborted", "x");
    expect(toPenstockError(penstock)).toBe(penstock);
  });
});
