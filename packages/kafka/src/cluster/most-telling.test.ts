import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { mostTelling } from "./most-telling.ts";

describe("mostTelling", () => {
  it("prefers what somebody can mend to what only is away, and the first of equals", () => {
    const away = new PenstockError("kafkaUnavailable", "away");
    const unknown = new PenstockError("kafkaHostUnknown", "unknown");
    const refused = new PenstockError("kafkaAuthentication", "refused");
    const bug = new Error("another attempt won");
    expect(mostTelling([away, unknown, refused])).toBe(refused);
    expect(mostTelling([bug, away, unknown])).toBe(unknown);
    expect(mostTelling([away, new PenstockError("kafkaUnavailable", "too")])).toBe(away);
  });
});
