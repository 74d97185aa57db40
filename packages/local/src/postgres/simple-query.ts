/**
 * Runs one SQL statement without a driver: connect with a password over loopback, simple query, close.
 * Enough to create a database; everything else uses the driver of packages/postgres.
 *
 * Protocol: https://www.postgresql.org/docs/18/protocol-flow.html
 */
import { createConnection } from "node:net";
import { PenstockError } from "@penstock/core";

export interface SimpleQueryTarget {
  port: number;
  user: string;
  password: string;
  database: string;
}

const LIMIT_MS = 60_000;
const PROTOCOL_3_0 = 196_608;
const CLEARTEXT_PASSWORD = 3;

export function simpleQuery(target: SimpleQueryTarget, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: "127.0.0.1", port: target.port });
    const fail = (reason: string, cause?: unknown): void => {
      socket.destroy();
      reject(new PenstockError("unavailable", `Postgres: ${reason}`, { cause }));
    };
    let received = Buffer.alloc(0);
    let hasAsked = false;
    socket.setTimeout(LIMIT_MS, () => fail("no answer"));
    socket.once("error", (cause) => fail(cause.message, cause));
    socket.once("close", () => fail("closed the connection"));
    socket.once("connect", () => socket.write(startup(target)));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 5 && received.length > received.readInt32BE(1)) {
        const end = 1 + received.readInt32BE(1);
        const type = String.fromCharCode(received.readUInt8(0));
        const body = received.subarray(5, end);
        received = received.subarray(end);
        if (type === "E") return fail(errorText(body));
        if (type === "R" && body.readInt32BE(0) === CLEARTEXT_PASSWORD) {
          socket.write(message("p", target.password));
        }
        if (type === "Z" && hasAsked) {
          resolve();
          socket.end(Buffer.from([0x58, 0, 0, 0, 4])); // Terminate
          return;
        }
        if (type === "Z") {
          hasAsked = true;
          socket.write(message("Q", sql));
        }
      }
    });
  });
}

function startup({ user, database }: SimpleQueryTarget): Buffer {
  const body = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(PROTOCOL_3_0, 4);
  return Buffer.concat([head, body]);
}

function message(type: "p" | "Q", text: string): Buffer {
  const body = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

/** The M field (message) of an ErrorResponse. */
function errorText(body: Buffer): string {
  const fields = body.toString("utf8").split("\0");
  return fields.find((field) => field.startsWith("M"))?.slice(1) ?? "unknown error";
}
