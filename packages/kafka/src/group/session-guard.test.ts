import { describe, expect, it } from "vitest";
import { SessionGuard } from "./session-guard.ts";

const WALL = 1_000_000;

describe("SessionGuard", () => {
  it("dispatches until a margin before the session may have run out, counted from when the heartbeat was sent", () => {
    const guard = new SessionGuard(8_000);
    expect(guard.mayDispatch(0)).toBe(false);
    guard.proved(1_000);
    expect(guard.mayDispatch(7_000)).toBe(true);
    expect(guard.mayDispatch(7_001)).toBe(false);
    expect(guard.hasRunOut(9_000)).toBe(false);
    expect(guard.hasRunOut(9_001)).toBe(true);
  });

  it("F32, F33: after a pause nothing is certain until a heartbeat that was sent later is answered", () => {
    const guard = new SessionGuard(45_000);
    guard.observe(0, WALL);
    guard.proved(0);
    guard.nextTickAtMs = 1_000;
    expect(guard.observe(2_900, WALL + 2_900)).toBe(false);
    expect(guard.observe(3_100, WALL + 3_100)).toBe(true);
    expect(guard.mayDispatch(3_100)).toBe(false);
    // The answer to a heartbeat from before the pause proves nothing about now.
    guard.proved(900);
    expect(guard.mayDispatch(3_200)).toBe(false);
    guard.proved(3_150);
    expect(guard.mayDispatch(3_200)).toBe(true);
  });

  it("F32: a suspended machine shows as a jump of the wall clock", () => {
    const guard = new SessionGuard(45_000);
    guard.observe(0, WALL);
    guard.proved(0);
    expect(guard.observe(100, WALL + 60_100)).toBe(true);
    expect(guard.mayDispatch(100)).toBe(false);
    guard.proved(150);
    expect(guard.observe(200, WALL + 60_200)).toBe(false);
    expect(guard.mayDispatch(200)).toBe(true);
  });

  it("F81: a wall clock that is set back costs nothing", () => {
    const guard = new SessionGuard(45_000);
    guard.observe(0, WALL);
    guard.proved(0);
    expect(guard.observe(100, WALL - 86_400_000)).toBe(false);
    expect(guard.mayDispatch(100)).toBe(true);
  });
});
