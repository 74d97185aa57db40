import type { Server } from "node:net";
import { PenstockError } from "@penstock/core";
import { formatAddress } from "../settings/kinds/network-address.ts";

/** Binds a listener. @throws PenstockError `unavailable` that names the address, when it is taken or not ours. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const reason = cause.code === "EADDRINUSE" ? "it is in use" : (cause.code ?? "unknown");
      const message = `Can't listen on ${formatAddress(host, port)}: ${reason}.`;
      reject(new PenstockError("unavailable", message, { cause }));
    };
    server.once("error", onError);
    server.listen({ host, port }, () => {
      server.off("error", onError);
      resolve();
    });
  });
}
