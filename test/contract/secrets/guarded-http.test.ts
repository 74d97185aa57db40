import { inspect } from "node:util";
import { AddressGuard, createGuardedHttp, type GuardedHttpOptions } from "@penstock/egress";
import { createTestAuthority, plantedSecret } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { serve } from "./secrets-world.ts";

const open = (options: Partial<GuardedHttpOptions> = {}) =>
  createGuardedHttp({
    guard: new AddressGuard({ allowPrivateAddresses: true, ownPorts: () => [] }),
    allowPlainHttp: () => true,
    ...options,
  });

describe("the guarded HTTP client", () => {
  it("sends what it is told and answers with what it gets, whatever the status", async () => {
    const port = await serve(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      response.writeHead(418, {
        "x-seen": `${request.method} ${request.url} ${request.headers["x-a"]}`,
      });
      response.end(body);
    });
    const answer = await open().request({
      url: `http://127.0.0.1:${port}/a?b=c`,
      method: "POST",
      headers: { "x-a": "1" },
      body: "hello",
    });
    expect(answer.status).toBe(418);
    expect(answer.headers["x-seen"]).toBe("POST /a?b=c 1");
    expect(answer.body.toString()).toBe("hello");
  });

  it("S-21: verifies the certificate, its name and its end, with the roots that it is given", async () => {
    const authority = await createTestAuthority();
    const good = await authority.issue(["localhost"]);
    const expired = await authority.issue(["localhost"], { isExpired: true });
    const start = async (identity: typeof good) =>
      await serve((_request, response) => response.end("ok"), {
        cert: identity.certificate,
        key: identity.privateKey,
      });
    const port = await start(good);
    const http = open();
    const ca = authority.certificate;
    await expect(http.request({ url: `https://localhost:${port}/`, ca })).resolves.toMatchObject({
      status: 200,
    });
    const refused = expect.objectContaining({
      code: "unavailable",
      message: expect.stringContaining("certificate is refused"),
    });
    await expect(http.request({ url: `https://localhost:${port}/` })).rejects.toEqual(refused);
    await expect(http.request({ url: `https://127.0.0.1:${port}/`, ca })).rejects.toEqual(refused);
    const late = await start(expired);
    await expect(http.request({ url: `https://localhost:${late}/`, ca })).rejects.toEqual(refused);
  });

  it("S-21: speaks TLS 1.2 or newer only", async () => {
    const authority = await createTestAuthority();
    const { certificate, privateKey } = await authority.issue(["localhost"]);
    const port = await serve((_request, response) => response.end("ok"), {
      cert: certificate,
      key: privateKey,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    await expect(
      open().request({ url: `https://localhost:${port}/`, ca: authority.certificate }),
    ).rejects.toMatchObject({ code: "unavailable" });
  });

  it("S-04: follows no redirect", async () => {
    let calls = 0;
    const port = await serve((_request, response) => {
      calls++;
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    const answer = await open().request({ url: `http://127.0.0.1:${port}/` });
    expect([answer.status, calls]).toEqual([307, 1]);
  });

  it.each([
    ["a stated length", (size: number) => ({ "content-length": String(size) })],
    ["no length", () => ({})],
  ])(
    "S-06: an answer of %s beyond the limit ends the exchange, one at the limit does not",
    async (_what, headers) => {
      let size = 1000;
      const port = await serve((_request, response) => {
        response.writeHead(200, headers(size));
        response.end(Buffer.alloc(size));
      });
      const http = open({ answerBytesMax: 1000 });
      const url = `http://127.0.0.1:${port}/`;
      await expect(http.request({ url })).resolves.toMatchObject({ status: 200 });
      size = 1001;
      await expect(http.request({ url })).rejects.toThrow("answer is too large");
    },
  );

  it("S-06: one deadline holds from the connection to the last byte", async () => {
    const port = await serve((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(drip));
    });
    const url = `http://127.0.0.1:${port}/`;
    await expect(open({ timeoutMs: 200 }).request({ url })).rejects.toMatchObject({
      code: "deadlineExceeded",
    });
  });

  it("S-01: the address guard judges names and literals, and plain HTTP needs a word of its own", async () => {
    let connections = 0;
    const port = await serve((_request, response) => {
      connections++;
      response.end();
    });
    const closed = open({
      guard: new AddressGuard({ allowPrivateAddresses: false, ownPorts: () => [] }),
    });
    const own = open({
      guard: new AddressGuard({ allowPrivateAddresses: true, ownPorts: () => [port] }),
    });
    const secure = createGuardedHttp({
      guard: new AddressGuard({ allowPrivateAddresses: true, ownPorts: () => [] }),
    });
    for (const http of [closed, own, secure]) {
      for (const host of ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"]) {
        await expect(http.request({ url: `http://${host}:${port}/` })).rejects.toMatchObject({
          code: "addressDenied",
        });
      }
    }
    await expect(open().request({ url: "http://169.254.169.254/" })).rejects.toMatchObject({
      code: "addressDenied",
    });
    expect(connections).toBe(0);
  });

  it("requests at once are bounded", async () => {
    const release: (() => void)[] = [];
    const port = await serve((_request, response) => release.push(() => response.end()));
    const http = open({ requestsMax: 1 });
    const url = `http://127.0.0.1:${port}/`;
    const first = http.request({ url });
    await expect(http.request({ url })).rejects.toMatchObject({ code: "unavailable" });
    await expect.poll(() => release.length).toBe(1);
    release[0]?.();
    await expect(first).resolves.toMatchObject({ status: 200 });
  });

  it("I-21: a failure shows nothing of what was sent", async () => {
    const secret = plantedSecret("guarded-http");
    const port = await serve((request) => request.destroy());
    const url = `http://127.0.0.1:${port}/${secret}?token=${secret}`;
    const failed = open().request({
      url,
      headers: { authorization: secret },
      body: secret,
      method: "POST",
    });
    const error: unknown = await failed.catch((caught: unknown) => caught);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
    expect(inspect(error)).toContain(`127.0.0.1:${port}`);
  });
});
