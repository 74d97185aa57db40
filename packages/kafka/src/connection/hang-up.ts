import type { Connection } from "@platformatic/kafka";

/** Ends a connection without waiting for anything. Requests on it fail. */
export function hangUp(connection: Connection): void {
  connection.socket?.destroy();
}
