import { ERROR_TABLE, type ErrorCode, PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { AwsRefusal } from "./aws-refusal.ts";
import { errorAnswer, isBug, tooManyRequests } from "./error-answer.ts";

const codes = Object.keys(ERROR_TABLE) as ErrorCode[];

describe("errorAnswer", () => {
  it.each<[ErrorCode, number, string, object]>([
    [
      "conflict",
      409,
      "ResourceConflictException",
      { Type: "User", message: "An event source mapping … already exists." },
    ],
    [
      "notFound",
      404,
      "ResourceNotFoundException",
      { Type: "User", Message: "The resource you requested does not exist." },
    ],
    ["inUse", 400, "ResourceInUseException", { Type: "User", Message: "in words" }],
    [
      "functionMissing",
      400,
      "InvalidParameterValueException",
      { Type: "User", message: "Function does not exist" },
    ],
    ["unavailable", 500, "ServiceException", { Type: "Service", Message: "in words" }],
    ["permissionDenied", 403, "AccessDeniedException", { Message: "in words" }],
    ["awsKeyUnknown", 403, "UnrecognizedClientException", { message: "in words" }],
    [
      "limitExceeded",
      429,
      "TooManyRequestsException",
      { Type: "User", message: "in words", Reason: "CallerRateLimitExceeded" },
    ],
  ])("%s is a %d %s in AWS's form", (code, status, type, body) => {
    const text = "message" in body && code === "conflict" ? String(body.message) : "in words";
    const answer = errorAnswer(new PenstockError(code, text));
    expect(answer).toMatchObject({ status, body, headers: { "x-amzn-ErrorType": type } });
    expect(Object.keys(answer.body ?? {})).toEqual(Object.keys(body));
  });

  it("spells a constraint of the API model as a ValidationException without Type", () => {
    const violation = {
      field: "batch_size",
      description: "batch_size must be from 1 to 10000, not 20000.",
      aws: {
        kind: "constraint" as const,
        member: "batchSize",
        value: "20000",
        constraint: "Member must have value less than or equal to 10000",
      },
    };
    const error = new PenstockError("invalidArgument", violation.description, {
      violations: [violation],
    });
    const message =
      "1 validation error detected: Value '20000' at 'batchSize' failed to satisfy constraint: " +
      "Member must have value less than or equal to 10000";
    expect(errorAnswer(error)).toEqual({
      status: 400,
      headers: { "x-amzn-ErrorType": "ValidationException" },
      body: { message },
    });
  });

  it("says of a missing resource what the operation says", () => {
    const answer = errorAnswer(
      new PenstockError("notFound", "x"),
      "Event source mapping not found",
    );
    expect(answer.body).toEqual({ Type: "User", Message: "Event source mapping not found" });
  });

  it.each(codes)("has a form for %s", (code) => {
    const { status, headers } = errorAnswer(new PenstockError(code, "in words"));
    expect(headers?.["x-amzn-ErrorType"]).toBe(ERROR_TABLE[code].aws);
    expect(status).toBeGreaterThanOrEqual(400);
  });

  it.each([
    new Error("password=hunter2"),
    new PenstockError("internal", "password=hunter2"),
    "password=hunter2",
  ])("S-24: tells nothing of a bug", (error) => {
    const answer = errorAnswer(error);
    expect(answer).toMatchObject({
      status: 500,
      headers: { "x-amzn-ErrorType": "ServiceException" },
      body: { Type: "Service" },
    });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
    expect(isBug(error)).toBe(true);
  });

  it("lets a refusal have its own status, headers and members", () => {
    const refusal = new AwsRefusal("TooManyRequestsException", "Rate exceeded", tooManyRequests(3));
    expect(errorAnswer(refusal)).toEqual({
      status: 429,
      headers: { "x-amzn-ErrorType": "TooManyRequestsException", "retry-after": "3" },
      body: { Type: "User", message: "Rate exceeded", Reason: "CallerRateLimitExceeded" },
    });
    expect(isBug(refusal)).toBe(false);
  });
});
