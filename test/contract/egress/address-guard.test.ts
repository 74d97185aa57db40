import { AddressGuard, type AddressLookup } from "@penstock/egress";
import { describe, expect, it } from "vitest";
import { httpFunction, startEgress, tcpServer } from "./egress-world.ts";

/** Every form in which a URL can say 127.0.0.1 or ::1. */
const LOOPBACK_HOSTS = [
  "127.0.0.1",
  "127.1",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "0x7f.0.0x1",
  "localhost",
  "LOCALHOST",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:0:0:1]",
];

describe("the address guard on real connections", () => {
  it("S-01: no form of a loopback address is dialled unless allowed", async () => {
    let connections = 0;
    const port = await tcpServer(() => connections++);
    const guard = new AddressGuard({ allowPrivateAddresses: false, ownPorts: () => [] });
    const { invoker, define } = startEgress({ guard });
    for (const host of LOOPBACK_HOSTS) {
      const outcome = await invoker.invoke(define(`http://${host}:${port}/`));
      expect(outcome, host).toMatchObject({ kind: "unreachable" });
      if (outcome.kind === "unreachable") expect(outcome.message).toContain("address guard");
    }
    expect(connections).toBe(0);
  });

  it("S-01: metadata and link-local addresses are refused even when private ones are allowed", async () => {
    const { invoker, define } = startEgress();
    const hosts = [
      "169.254.169.254",
      "[fe80::1]",
      "[fd00:ec2::254]",
      "0.0.0.0",
      "[::]",
      "224.0.0.1",
    ];
    for (const host of [...hosts, "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]"]) {
      const outcome = await invoker.invoke(define(`http://${host}/latest/meta-data/`));
      expect(outcome, host).toMatchObject({
        kind: "unreachable",
        message: expect.stringContaining("address guard"),
      });
    }
  });

  it("S-01: Penstock's own ports are refused, over HTTP and gRPC", async () => {
    let connections = 0;
    const port = await tcpServer(() => connections++);
    const { invoker, define } = startEgress({ ownPorts: [port] });
    const http = define(`http://localhost:${port}/`);
    const grpc = define({ kind: "grpc", address: `localhost:${port}`, tls: false });
    for (const call of [http, grpc]) {
      await expect(invoker.invoke(call)).resolves.toMatchObject({
        kind: "unreachable",
        message: expect.stringContaining("Penstock itself"),
      });
    }
    expect(connections).toBe(0);
  });

  it("S-01: a gRPC target is guarded like an HTTP one", async () => {
    const guard = new AddressGuard({ allowPrivateAddresses: false, ownPorts: () => [] });
    const { invoker, define } = startEgress({ guard });
    for (const address of ["127.0.0.1:50051", "[::1]:50051", "localhost:50051", "127.1:50051"]) {
      await expect(
        invoker.invoke(define({ kind: "grpc", address, tls: false })),
      ).resolves.toMatchObject({
        kind: "unreachable",
        message: expect.stringContaining("address guard"),
      });
    }
  });

  it.each(["http://127.0.0.1:1", "dns:///x:1", "a:1,b:2", "unix:/tmp/x", "a", "a:0", "a:70000"])(
    "S-01: %s is no gRPC target",
    (address) => {
      const { define } = startEgress();
      expect(() => define({ kind: "grpc", address, tls: false })).toThrow("host:port");
    },
  );

  it("S-01: a name that is looked up again gets no other address than the one that was checked", async () => {
    const url = await httpFunction((_request, response) => response.end());
    // Good at the first look-up and bad at every later one: a check apart from the dialling one would be deceived.
    const answers = ["127.0.0.1", "169.254.169.254"];
    let lookups = 0;
    const lookup: AddressLookup = (_host, callback) => {
      const address = answers[Math.min(lookups++, 1)] ?? "";
      callback(null, [{ address, family: 4 }]);
    };
    const guard = new AddressGuard({ allowPrivateAddresses: true, ownPorts: () => [], lookup });
    const { invoker, define } = startEgress({ guard });
    const call = define(url.replace("127.0.0.1", "rebind.example"));
    await expect(invoker.invoke(call)).resolves.toEqual({ kind: "success" });
    expect(lookups).toBe(1);
    // The connection lives on; only a new one asks again, and is refused.
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: expect.any(String) });
    expect(lookups).toBeLessThanOrEqual(2);
  });
});
