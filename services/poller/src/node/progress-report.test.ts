import { randomUUID } from "node:crypto";
import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import type { EventPoller } from "../event-poller/event-poller.ts";
import { ProgressReport } from "./progress-report.ts";

const MAPPING = "7d9f7c3e-0000-4000-8000-000000000001";

/** As much of an event poller as a report looks at. */
function pollerWith(presentProblem: PenstockError | null) {
  const settings = () => ({ mappingId: MAPPING, index: 3 });
  return { settings, presentProblem, isClosing: false, lanes: () => [] } as unknown as EventPoller;
}

function newReport(): ProgressReport {
  return new ProgressReport(() => {});
}

describe("ProgressReport", () => {
  it("L-2: says after a reconnect which event pollers have a problem, and which have none", () => {
    const report = newReport();
    const ill = pollerWith(new PenstockError("kafkaUnavailable", "no broker answers"));
    expect(report.next([ill])).toBeNull();
    report.startOver();
    expect(report.next([ill])?.problems).toMatchObject([
      { mappingId: MAPPING, index: 3, message: "no broker answers" },
    ]);
    report.startOver();
    expect(report.next([pollerWith(null)])?.problems).toMatchObject([{ index: 3, code: "" }]);
    expect(report.next([pollerWith(null)])).toBeNull();
  });

  it("sends a gap again until it is stored", () => {
    const report = newReport();
    const gap = {
      gapId: randomUUID(),
      wallMs: 0,
      isStored: false,
      mappingId: MAPPING,
      topicId: MAPPING,
      topic: "orders",
      partition: 0,
      firstOffset: 1n,
      lastOffset: 2n,
      reason: "truncated" as const,
      message: "",
    };
    report.gap(gap);
    const first = report.next([]);
    expect(first?.gaps.length).toBe(1);
    expect(report.next([])).toBeNull();
    report.startOver();
    const second = report.next([]);
    expect(second?.gaps).toEqual(first?.gaps);
    expect(gap.isStored).toBe(false);
    report.stored(second?.sequence ?? 0n);
    expect(gap.isStored).toBe(true);
    report.startOver();
    expect(report.next([])).toBeNull();
  });
});
