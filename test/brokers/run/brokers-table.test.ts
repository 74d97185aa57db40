import { describe, expect, it } from "vitest";
import { type TableLine, withTable } from "./brokers-table.ts";

const line: TableLine = {
  version: "3.9",
  driver: "native",
  protocol: "classic",
  security: "plaintext",
  what: "contract of record sources",
  passed: 26,
  failed: 0,
  skipped: 0,
  seconds: 40,
  again: "--version 3.9",
};
const EMPTY = "before\n<!-- table: begin -->\n<!-- table: end -->\nafter\n";

describe("the table of brokers", () => {
  it("is written between its markers, newest version first", () => {
    const lines = [line, { ...line, version: "0.11" }, { ...line, version: "4.3" }];
    const text = withTable(EMPTY, lines);
    expect(text).toMatch(/^before\n<!-- table: begin -->\n\| Kafka /);
    expect(text).toMatch(/<!-- table: end -->\nafter\n$/);
    expect([...text.matchAll(/^\| (\d[\d.]*) \|/gm)].map(([, version]) => version)).toEqual([
      "4.3",
      "3.9",
      "0.11",
    ]);
  });

  it("a run replaces its own lines and leaves the others, and says what failed", () => {
    const before = withTable(EMPTY, [line, { ...line, version: "4.3" }]);
    const after = withTable(before, [{ ...line, passed: 25, failed: 1 }]);
    expect(after.match(/^\| \d/gm)).toHaveLength(2);
    expect(after).toContain(
      "| 25 passed, **1 failed**, 40 s | `npm run test:brokers -- --version 3.9` |",
    );
    expect(after).toContain(
      "| 4.3 | native | classic | plaintext | contract of record sources | 26 passed, 40 s |",
    );
  });
});
