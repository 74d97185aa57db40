import { describe, expect, it } from "vitest";
import { ERROR_TABLE } from "../errors/error-table.ts";
import { NO_NODE, type ProblemSources, presentProblem } from "./mapping-problem.ts";
import { awsCodeOf, PROBLEM_TEXTS, processingResultOf, stateReasonOf } from "./problem-texts.ts";

const WELL: ProblemSources = {
  state: "Enabled",
  arePinned: true,
  pinning: null,
  filter: null,
  reported: null,
  functionName: "f",
  hasFunction: true,
  placement: null,
};
const kafka = { code: "kafkaTls", message: "Expired." };
const failing = { code: "functionFailing", message: "HTTP 500." };
const topic = { code: "kafkaTopicMissing", message: "No such topic." };

describe("presentProblem", () => {
  it("shows the first problem on the way from the brokers to the function", () => {
    expect(presentProblem(WELL)).toBeNull();
    const all = { ...WELL, reported: failing, placement: NO_NODE };
    expect(presentProblem({ ...WELL, reported: failing })).toBe(failing);
    expect(presentProblem(all)).toBe(NO_NODE);
    expect(presentProblem({ ...all, hasFunction: false })?.code).toBe("functionMissing");
    expect(presentProblem({ ...all, hasFunction: false, reported: kafka })).toBe(kafka);
    expect(presentProblem({ ...all, filter: topic, reported: kafka })).toBe(topic);
    expect(presentProblem({ ...all, arePinned: false, pinning: kafka })).toBe(kafka);
    expect(presentProblem({ ...WELL, pinning: kafka })).toBeNull();
  });

  it("a mapping that is not to run has no problem but that of its start", () => {
    for (const state of ["Disabled", "Disabling", "Deleting"] as const) {
      const stopped = { ...WELL, state, hasFunction: false, reported: kafka };
      expect(presentProblem(stopped)).toBeNull();
      const unpinned = { ...stopped, arePinned: false, pinning: topic };
      expect(presentProblem(unpinned)).toBe(state === "Deleting" ? null : topic);
    }
  });
});

describe("problem texts", () => {
  it("says AWS's words, then the cause; the reason is AWS's code where it has one", () => {
    expect(processingResultOf(kafka)).toBe(
      "PROBLEM: Lambda failed to authenticate server. Expired.",
    );
    expect(stateReasonOf(kafka)).toBe("EVENT_SOURCE_AUTHN_ERROR");
    expect(processingResultOf(failing)).toBe("PROBLEM: Function call failed. HTTP 500.");
    expect(stateReasonOf(failing)).toBe("USER_INITIATED");
    expect(stateReasonOf(null)).toBe("USER_INITIATED");
    expect(awsCodeOf("kafkaAuthorization")).toBe("EVENT_SOURCE_AUTHZ_ERROR");
    expect(awsCodeOf("ofAnotherVersion")).toBeNull();
    expect(awsCodeOf("toString")).toBeNull();
  });

  it("has words for every code of brokers, secrets and functions", () => {
    const codes = Object.keys(ERROR_TABLE).filter((code) => /^(kafka|secret|function)/.test(code));
    for (const code of codes) expect(Object.keys(PROBLEM_TEXTS)).toContain(code);
  });
});
