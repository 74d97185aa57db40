/** Keeps what a Penstock says of itself, for the search for planted secrets. Says nothing when a service is away: that is the test's business. */
import type { Client } from "@connectrpc/connect";
import type { mapping } from "@penstock/proto";
import { keepText, runFolder } from "./run-folder.ts";

export interface Speaker {
  readonly name: string;
  /** host:port of its HTTP listener. */
  readonly ready: { readonly http: string };
}

const ANSWER_LIMIT_MS = 5_000;

/** What `/metrics` of a service says now. */
export async function keepMetrics({ name, ready }: Speaker): Promise<void> {
  if (runFolder() === null) return;
  const text = await fetchText(`http://${ready.http}/metrics`);
  if (text !== null) keepText("metrics", name, text);
}

/** Everything that a mapping service tells about its mappings and functions. */
export async function keepAnswers(
  service: Speaker,
  clients: {
    readonly mappings: Client<typeof mapping.MappingService>;
    readonly functions: Client<typeof mapping.FunctionService>;
  },
): Promise<void> {
  if (runFolder() === null) return;
  const options = { timeoutMs: ANSWER_LIMIT_MS };
  const answers: unknown[] = [];
  const keep = async (ask: () => Promise<unknown>): Promise<void> => {
    // An error is an answer too.
    answers.push(await ask().catch((error: unknown) => String(error)));
  };
  await keep(() => clients.functions.listFunctions({}, options));
  const uuids: string[] = [];
  await keep(async () => {
    const page = await clients.mappings.listEventSourceMappings({}, options);
    uuids.push(...page.eventSourceMappings.map(({ uuid }) => uuid));
    return page;
  });
  for (const uuid of uuids) {
    await keep(() => clients.mappings.getEventSourceMapping({ uuid }, options));
    await keep(() => clients.mappings.explainEventSourceMapping({ uuid }, options));
    await keep(() => clients.mappings.listEventSourceMappingEvents({ uuid }, options));
  }
  answers.push(await fetchText(`http://${service.ready.http}/2015-03-31/event-source-mappings/`));
  const text = answers.map((answer) => JSON.stringify(answer, plain)).join("\n");
  keepText("answers", service.name, `${text}\n`);
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value;
}

async function fetchText(url: string): Promise<string | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    return await answer.text();
  } catch {
    return null; // killed, paused, or without this face
  }
}
