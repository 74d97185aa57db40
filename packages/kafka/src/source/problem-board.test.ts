import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { ProblemBoard } from "./problem-board.ts";

describe("ProblemBoard", () => {
  it("tells the most telling problem when it changes, and null when all healed", () => {
    const told: (string | null)[] = [];
    const board = new ProblemBoard((problem) => told.push(problem?.message ?? null));
    const problem = (message: string) => new PenstockError("kafkaUnavailable", message);
    board.set("fetch", null);
    board.set("fetch", problem("fetch"));
    board.set("topic", problem("topic"));
    board.set("commit", problem("commit"));
    board.set("topic", problem("topic"));
    board.set("topic", null);
    board.set("commit", null);
    board.set("fetch", null);
    expect(told).toEqual(["fetch", "topic", "commit", "fetch", null]);
  });
});
