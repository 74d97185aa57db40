import { describe, expect, it } from "vitest";
import { createLogger } from "../logs/logger.ts";
import { Denials } from "./denials.ts";

describe("Denials", () => {
  it("counts every one and logs some, with how many were not said", () => {
    const lines: string[] = [];
    const log = createLogger({
      service: "test",
      destination: { write: (line) => lines.push(line) },
    });
    let nowMs = 0;
    const denials = new Denials(log, () => nowMs);
    const note = () => denials.note("unauthenticated", { method: "/a.B/C", subject: null });
    for (let count = 0; count < 1000; count++) note();
    expect(lines).toHaveLength(10);
    nowMs += 10_000;
    note();
    expect(lines).toHaveLength(11);
    expect(JSON.parse(lines[10] ?? "")).toMatchObject({ msg: "call denied", unsaidBefore: 990 });
    expect(denials.counts()).toEqual([[1001, { reason: "unauthenticated" }]]);
  });
});
