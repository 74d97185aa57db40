import { InvariantError, PenstockError } from "@penstock/core";
import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  UserError,
} from "@platformatic/kafka";
import { describe, expect, it } from "vitest";
import { toKafkaError } from "./kafka-error.ts";

const code = (error: unknown) => toKafkaError(error, "broker:9092").code;
const tls = Object.assign(new Error("x"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });

describe("toKafkaError", () => {
  it.each([
    [
      "a refused connection",
      new NetworkError("x", { cause: new Error("ECONNREFUSED") }),
      "kafkaUnavailable",
    ],
    [
      "F18: wrong credentials",
      new NetworkError("x", { cause: new AuthenticationError("y") }),
      "kafkaAuthentication",
    ],
    [
      "F19: a certificate that isn't trusted",
      new NetworkError("x", { cause: tls }),
      "kafkaAuthentication",
    ],
    [
      "F19: a broker that wants TLS",
      new NetworkError("x", { cause: new UserError("y") }),
      "kafkaAuthentication",
    ],
    ["F18: an ACL", new MultipleErrors("x", [new ProtocolError(29)]), "kafkaAuthorization"],
    ["a missing topic", new ProtocolError(3), "kafkaTopicMissing"],
    ["an unknown version", new ProtocolError(35), "kafkaUnsupported"],
    ["a member that is gone", new ProtocolError(25), "kafkaFenced"],
    ["anything else", "what", "kafkaUnavailable"],
  ])("tells %s", (_what, error, expected) => {
    expect(code(error)).toBe(expected);
  });

  it("lets ours through, and bugs out", () => {
    const ours = new PenstockError("addressDenied", "no");
    expect(toKafkaError(ours, "x")).toBe(ours);
    expect(() => toKafkaError(new InvariantError("bug"), "x")).toThrow(InvariantError);
  });

  it("S-24: says nothing of the cause in its message", () => {
    expect(toKafkaError(new Error("secret"), "broker:9092").message).not.toContain("secret");
  });
});
