import { describe, expect, it } from "vitest";
import { isReadyLine, problemLine } from "./service-lines.ts";

describe("lines of a service", () => {
  it("is ready by a JSON line that says so, and by nothing else", () => {
    expect(isReadyLine('{"level":"info","service":"poller","msg":"ready"}')).toBe(true);
    expect(isReadyLine('{"level":"info","msg":"not ready"}')).toBe(false);
    expect(isReadyLine("ready")).toBe(false);
    expect(isReadyLine('{"msg":"rea')).toBe(false);
  });

  it("shows warnings and errors, with the error's message", () => {
    expect(problemLine('{"level":"info","msg":"fine"}')).toBeUndefined();
    expect(problemLine('{"level":"warn","msg":"slow"}')).toBe("slow");
    expect(problemLine('{"level":"error","msg":"broke","error":{"message":"no disk"}}')).toBe(
      "broke: no disk",
    );
  });
});
