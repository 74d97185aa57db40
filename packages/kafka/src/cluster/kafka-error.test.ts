import { InvariantError, PenstockError } from "@penstock/core";
import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  TimeoutError,
} from "@platformatic/kafka";
import { describe, expect, it } from "vitest";
import { kafkaRefusal, toKafkaError } from "./kafka-error.ts";

const code = (error: unknown) => toKafkaError(error, "broker:9092").code;
const coded = (nodeCode: string) => Object.assign(new Error("x"), { code: nodeCode });
const tls = coded("DEPTH_ZERO_SELF_SIGNED_CERT");

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
    ["F19: a certificate that isn't trusted", new NetworkError("x", { cause: tls }), "kafkaTls"],
    [
      "a name that nobody knows",
      new NetworkError("x", { cause: coded("ENOTFOUND") }),
      "kafkaHostUnknown",
    ],
    ["silence", new NetworkError("x", { cause: new TimeoutError("y") }), "kafkaUnavailable"],
    ["F18: an ACL", new MultipleErrors("x", [new ProtocolError(29)]), "kafkaAuthorization"],
    ["a missing topic", new ProtocolError(3), "kafkaTopicMissing"],
    ["an unknown version", new ProtocolError(35), "kafkaUnsupported"],
    ["a member that is gone", new ProtocolError(25), "kafkaFenced"],
    ["anything else", "what", "kafkaUnavailable"],
  ])("tells %s", (_what, error, expected) => {
    expect(code(error)).toBe(expected);
  });

  it.each([
    ["CERT_HAS_EXPIRED", "has expired"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "SERVER_ROOT_CA_CERTIFICATE"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "for another name"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "CLIENT_CERTIFICATE_TLS_AUTH"],
    ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "client certificate"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "client certificate"],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "TLS 1.2"],
  ])("F19: says of %s what to change", (nodeCode, text) => {
    const error = toKafkaError(new NetworkError("x", { cause: coded(nodeCode) }), "broker:9092");
    expect(error).toMatchObject({ code: "kafkaTls", message: expect.stringContaining(text) });
    expect(error.message).toContain("broker:9092");
  });

  it.each([
    [29, "Read on the topic"],
    [30, "Read on the consumer group"],
    [31, "on the cluster"],
  ])("F18: error %i names the ACL that is missing", (kafkaCode, text) => {
    const refusal = kafkaRefusal(kafkaCode, 'topic "orders"');
    expect(refusal.code).toBe("kafkaAuthorization");
    expect(refusal.message).toContain(text);
    expect(refusal.message).toContain('topic "orders"');
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
