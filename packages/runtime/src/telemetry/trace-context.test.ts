import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatTraceparent, parseTraceContext, parseTracestate } from "./trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

describe("parseTraceContext", () => {
  it("reads what formatTraceparent writes", () => {
    const hex = (length: number) =>
      fc
        .array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length })
        .map((digits) => digits.join(""))
        .filter((digits) => !/^0+$/.test(digits));
    fc.assert(
      fc.property(hex(32), hex(16), fc.constantFrom(0, 1), (traceId, spanId, traceFlags) => {
        const text = formatTraceparent({ traceId, spanId, traceFlags });
        expect(parseTraceContext(text)).toEqual({ traceId, spanId, traceFlags, isRemote: true });
      }),
    );
  });

  it.each([
    "",
    "00",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-01-extra`,
    `00-${TRACE}-${SPAN}-01 `,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `01-${TRACE}-${SPAN}-01extra`,
    `00_${TRACE}_${SPAN}_01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `01-${TRACE}-${SPAN}-01-${"x".repeat(600)}`,
  ])("S-09: takes %j for no context", (text) => {
    expect(parseTraceContext(text)).toBeNull();
  });

  it("takes a later version that goes on, and only the flag that is defined", () => {
    expect(parseTraceContext(`cc-${TRACE}-${SPAN}-ff-what.the.future.brings`)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      traceFlags: 1,
      isRemote: true,
    });
  });

  it("drops a tracestate that is wrong and keeps the context", () => {
    const text = `00-${TRACE}-${SPAN}-01`;
    expect(parseTraceContext(text, "a=1")?.traceState?.serialize()).toBe("a=1");
    expect(parseTraceContext(text, "a=1\r\nx: y")?.traceState).toBeUndefined();
  });

  it("S-09: never throws, whatever it is given", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (traceparent, tracestate) => {
        parseTraceContext(traceparent, tracestate);
      }),
    );
  });
});

describe("parseTracestate", () => {
  it.each([
    ["a=1", "a=1"],
    ["a=1 , b=2", "a=1,b=2"],
    ["tenant@vendor=x", "tenant@vendor=x"],
    ["a=1,,b=2", "a=1,b=2"],
  ])("takes %j", (given, expected) => {
    expect(parseTracestate(given)).toBe(expected);
  });

  it.each([
    "A=1",
    "a",
    "=1",
    "a=",
    "a=1,a=2",
    "a=b=c",
    "a=\u0000",
    "a=ä",
    `a=${"x".repeat(257)}`,
    Array.from({ length: 33 }, (_, key) => `k${key}=1`).join(","),
  ])("S-09: drops %j", (given) => {
    expect(parseTracestate(given)).toBe("");
  });
});

describe("formatTraceparent", () => {
  it("is empty for a context that isn't valid", () => {
    expect(formatTraceparent({ traceId: "0".repeat(32), spanId: SPAN, traceFlags: 1 })).toBe("");
  });
});
