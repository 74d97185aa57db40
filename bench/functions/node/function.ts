/**
 * The function of the benchmarks where no Go is installed: the same answers as `functions/go`, at a multiple of the cost.
 * Figures measured with it say so and are not comparable with others.
 */
import { createServer } from "node:http";
import { Tally } from "./tally.ts";

const tally = new Tally();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const address = new URL(request.url ?? "/", "http://function");
    if (address.pathname === "/reset") {
      tally.reset(Number(address.searchParams.get("delay_ms") ?? 0));
      response.end("{}");
    } else if (address.pathname === "/report") {
      response.end(JSON.stringify(tally.report()));
    } else {
      const delayMs = tally.add(Buffer.concat(chunks), performance.timeOrigin + performance.now());
      if (delayMs > 0) setTimeout(() => response.end(), delayMs);
      else response.end();
    }
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
});
