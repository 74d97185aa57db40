/**
 * What filtering one record costs.
 *
 *     node bench/parts/filter.ts
 */
import { compileFilter } from "@penstock/core";
import { measure, type PartResult, printParts } from "./measure.ts";
import { plainBatch } from "./plain-batch.ts";

const COUNT = 1000;

function jsonOf(bytes: number): Buffer {
  const order = { type: "order", amount: 120.5, customer: { id: 17, country: "CH" }, note: "" };
  order.note = "n".repeat(Math.max(0, bytes - JSON.stringify(order).length));
  return Buffer.from(JSON.stringify(order));
}

const patterns: [string, string, Buffer][] = [];
for (const bytes of [100, 1000]) {
  patterns.push(
    [`partition, ${bytes} B`, '{"partition":[1]}', jsonOf(bytes)],
    [`text prefix, ${bytes} B`, '{"value":[{"prefix":"abc"}]}', Buffer.alloc(bytes, "text ")],
    [`one field, ${bytes} B of JSON`, '{"value":{"type":["order"]}}', jsonOf(bytes)],
    [
      `four fields, ${bytes} B of JSON`,
      '{"value":{"type":["order"],"amount":[{"numeric":[">",100]}],"customer":{"country":["CH"]},"x":[{"exists":false}]}}',
      jsonOf(bytes),
    ],
  );
}

const results: PartResult[] = patterns.map(([name, pattern, value]) => {
  const filter = compileFilter([pattern]);
  const batch = plainBatch({ count: COUNT, valueBytes: 0, keyBytes: -1, headers: 0, value });
  return measure(name, COUNT, () => {
    for (let row = 0; row < COUNT; row++) filter.matches(batch, row, "orders", 0);
  });
});
const withHeaders = plainBatch({ count: COUNT, valueBytes: 100, keyBytes: 16, headers: 3 });
const onHeader = compileFilter(['{"headers":{"header-1":[{"prefix":"value"}]}}']);
results.push(
  measure("one of three headers", COUNT, () => {
    for (let row = 0; row < COUNT; row++) onHeader.matches(withHeaders, row, "orders", 0);
  }),
);
printParts("filtering, for one record", results);
