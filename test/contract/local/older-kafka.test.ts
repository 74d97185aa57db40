import { it } from "vitest";
import { startsAndKeeps } from "./starts-and-keeps.ts";

it("Kafka 3.9 coordinates groups when it is ready, and comes back after kill -9 with what it had", () =>
  startsAndKeeps("3.9"));
