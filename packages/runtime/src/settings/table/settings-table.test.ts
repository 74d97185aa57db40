import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderEnvExample } from "../env-example.ts";
import type { Setting } from "../setting.ts";
import { KNOWN_SETTINGS, SETTINGS } from "./settings-table.ts";

const ALL = Object.values<Setting<unknown>>(SETTINGS);

describe("the settings table", () => {
  it("names each setting once", () => {
    expect(new Set(KNOWN_SETTINGS).size).toBe(ALL.length);
  });

  it.each(ALL.filter(({ defaultText }) => defaultText !== null))(
    "I-14: $name accepts its own default",
    (setting) => {
      expect(setting.read(setting.defaultText ?? "")).toEqual(setting.fallback);
    },
  );

  it("is what .env.example shows (node packages/runtime/scripts/write-documents.ts)", () => {
    const file = new URL("../../../../../.env.example", import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(renderEnvExample());
  });
});
