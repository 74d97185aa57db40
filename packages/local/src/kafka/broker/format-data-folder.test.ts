import { expect, it } from "vitest";
import { newClusterId } from "./format-data-folder.ts";

it("no cluster id looks like a flag to Kafka's tools", () => {
  expect(newClusterId("fbffffff-ffff-4fff-bfff-ffffffffffff")).toBe("A_______T_-__________w");
  expect(newClusterId("00000000-0000-4000-8000-000000000001")).toBe("AAAAAAAAQACAAAAAAAAAAQ");
});
