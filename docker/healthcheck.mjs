/** Container health: exit code 0 when the service on the given HTTP port of this container says that it is ready. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { get as getPlain } from "node:http";
import { get as getTls } from "node:https";

const certificate = process.env.PENSTOCK_TLS_CERTIFICATE_FILE;
const options = { host: "127.0.0.1", port: process.argv[2], path: "/readyz", timeout: 3_000 };
const request =
  certificate === undefined
    ? getPlain(options)
    : // The name in it is that of the service, not of the loopback: it has to be our own certificate.
      getTls({ ...options, rejectUnauthorized: false });

request.on("response", (response) => {
  const { socket } = response;
  const isOurs =
    certificate === undefined ||
    socket.getPeerX509Certificate()?.fingerprint256 ===
      new X509Certificate(readFileSync(certificate)).fingerprint256;
  process.exit(isOurs && response.statusCode === 200 ? 0 : 1);
});
request.on("timeout", () => process.exit(1));
request.on("error", () => process.exit(1));
