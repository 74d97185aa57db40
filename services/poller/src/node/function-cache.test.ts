import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { fleet, mapping } from "@penstock/proto";
import { describe, expect, it } from "vitest";
import { FunctionCache } from "./function-cache.ts";

function stored(revision: bigint, hasTarget = true): mapping.Function {
  return create(mapping.FunctionSchema, {
    name: "f",
    revision,
    timeout: durationFromMs(1000),
    payloadBytesMax: 1024n,
    ...(hasTarget && { target: { case: "http", value: { url: "http://f/" } } }),
  });
}

function changes(changed: mapping.Function[], isSnapshot = false): fleet.Functions {
  return create(fleet.FunctionsSchema, { isSnapshot, changed });
}

describe("FunctionCache", () => {
  it("keeps the identity of a function until its revision changes", () => {
    const cache = new FunctionCache();
    expect(cache.apply(changes([stored(1n)], true))).toEqual(["f"]);
    const spec = cache.get("f");
    expect(cache.apply(changes([stored(1n)], true))).toEqual([]);
    expect(cache.get("f")).toBe(spec);
    expect(cache.apply(changes([stored(2n)]))).toEqual(["f"]);
    expect(cache.get("f")).not.toBe(spec);
  });

  it("does not know a function any more whose new target it can't read", () => {
    const cache = new FunctionCache();
    cache.apply(changes([stored(1n)], true));
    expect(cache.apply(changes([stored(2n, false)]))).toEqual(["f"]);
    expect(cache.get("f")).toBeUndefined();
  });
});
