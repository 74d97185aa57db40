import type { Inspector } from "./fault-proxy.ts";
import type { Inspect } from "./link.ts";

/** Numbers of requests of the Kafka protocol that tests pick out. */
export const KAFKA_REQUEST = Object.freeze({
  fetch: 1,
  offsetCommit: 8,
  joinGroup: 11,
  heartbeat: 12,
  syncGroup: 14,
  groupHeartbeat: 68,
});

/** A whole answer, size field included; what it returns goes on. null: the answer is lost, the connection stays. */
export type OnAnswer = (request: number, frame: Buffer) => Buffer | null | "reset";

/**
 * An inspector that knows just enough of Kafka's protocol to pick out answers: requests pass as they are, answers frame by frame
 * through `onAnswer`.
 */
export function inspectKafka(onAnswer: OnAnswer): Inspector {
  const requests = new Map<number, number>();
  const readRequests = frames((frame) => {
    requests.set(frame.readInt32BE(8), frame.readInt16BE(4));
    return frame;
  });
  const readAnswers = frames((frame) => {
    const correlation = frame.readInt32BE(4);
    const request = requests.get(correlation) ?? -1;
    requests.delete(correlation);
    return onAnswer(request, frame);
  });
  return { toServer: readRequests, toClient: readAnswers };
}

function frames(each: (frame: Buffer) => Buffer | null | "reset"): Inspect {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const passed: Buffer[] = [];
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      const result = each(rest.subarray(0, end));
      rest = rest.subarray(end);
      if (result === "reset") return "reset";
      if (result !== null) passed.push(result);
    }
    return passed.length === 0 ? null : Buffer.concat(passed);
  };
}
