import { describe, expect, it } from "vitest";
import { PenstockError } from "../../errors/penstock-error.ts";
import { refusal } from "../testing/mapping-requests.ts";
import { awsError } from "./aws-error.ts";
import { awsConstraint } from "./constraints.ts";
import { Violations } from "./violations.ts";

describe("awsError", () => {
  it("answers with all constraints before any rule of the service", () => {
    const answer = refusal(() => {
      const violations = new Violations();
      violations.add("a", "a is bad.", "Unsupported a.");
      violations.add("b", "b is bad.", awsConstraint("b", "1", "Member must x"));
      violations.add("c", "c is bad.", awsConstraint("c", null, "Member must not be null"));
      violations.throwIfAny();
    });
    expect(answer).toMatchObject({
      type: "ValidationException",
      message:
        "2 validation errors detected: Value '1' at 'b' failed to satisfy constraint: Member must x; " +
        "Value null at 'c' failed to satisfy constraint: Member must not be null",
    });
  });

  it("answers with the first rule of the service, in our words where AWS has none", () => {
    const answer = (first: string | undefined) =>
      refusal(() => {
        const violations = new Violations();
        violations.add("a", "a is bad.", first);
        violations.add("b", "b is bad.", "Unsupported b.");
        violations.throwIfAny();
      })?.message;
    expect(answer("Unsupported a.")).toBe("Unsupported a.");
    expect(answer(undefined)).toBe("a is bad.");
  });

  it("answers with the message of an error without violations", () => {
    const error = new PenstockError("invalidArgument", "No.");
    expect(awsError(error)).toEqual({ type: "InvalidParameterValueException", message: "No." });
  });

  it("I-14: is bounded, whatever was sent", () => {
    const violations = new Violations();
    for (let index = 0; index < 1000; index++) {
      violations.add("a", "a is bad.", awsConstraint("a", "x".repeat(100_000), "Member must x"));
    }
    const error = refusal(() => violations.throwIfAny());
    expect(error?.fields).toHaveLength(30);
    expect(error?.message.length).toBeLessThan(20_000);
    expect(() => violations.throwIfAny()).toThrow(/And 20 more\.$/);
  });
});
