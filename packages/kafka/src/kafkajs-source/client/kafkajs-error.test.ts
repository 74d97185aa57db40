import { InvariantError, PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { problemOf, refusalCode } from "./kafkajs-error.ts";

const NOTHING = () => undefined;
const thrown = (fields: object, cause?: unknown) =>
  Object.assign(new Error("x", { cause }), fields);

describe("what kafkajs throws", () => {
  it("is judged by the code of Kafka, however deep it is wrapped", () => {
    const refusal = thrown({
      name: "KafkaJSProtocolError",
      type: "GROUP_AUTHORIZATION_FAILED",
      code: 30,
    });
    const wrapped = thrown({ name: "KafkaJSNumberOfRetriesExceeded" }, refusal);
    expect(refusalCode(wrapped)).toBe(30);
    expect(problemOf(wrapped, "it", NOTHING).code).toBe("kafkaAuthorization");
    expect(refusalCode(thrown({ code: "ECONNREFUSED" }))).toBeNull();
  });

  it("is what the socket told, when a connection failed", () => {
    const told = new PenstockError("kafkaTls", "The certificate has expired.");
    const error = thrown({ name: "KafkaJSConnectionError", broker: "b:9092" });
    expect(problemOf(error, "it", (broker) => (broker === "b:9092" ? told : undefined))).toBe(told);
    expect(problemOf(error, "it", NOTHING).code).toBe("kafkaUnavailable");
  });

  it("is passed on when it is ours already, and never hidden when it is a bug", () => {
    const ours = new PenstockError("secretMissing", "There is no secret.");
    expect(problemOf(thrown({}, ours), "it", NOTHING)).toBe(ours);
    expect(() => problemOf(new InvariantError("a bug"), "it", NOTHING)).toThrow("a bug");
  });

  it("says that a broker is too old", () => {
    const error = thrown({ name: "KafkaJSServerDoesNotSupportApiKey" });
    expect(problemOf(error, "it", NOTHING).code).toBe("kafkaUnsupported");
  });
});
