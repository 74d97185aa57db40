import { invalidField, PenstockError } from "@penstock/core";
import type { Database, Sql } from "@penstock/postgres";
import type { Caller } from "@penstock/runtime";
import type { IdempotentRequest } from "./mapping-commands.ts";
import type { RequestDigest } from "./request-digest.ts";

/** How an answer is remembered. It must hold nothing that may not lie in the database in the clear. */
export interface AnswerCodec<Answer> {
  write(answer: Answer): string;
  read(text: string): Answer;
}

export interface OnceParts {
  readonly db: Database;
  readonly digest: RequestDigest;
}

/** How long an answer is remembered. */
export const REQUEST_HOURS_MAX = 24;

/**
 * Runs `work` in a transaction; with a request id, once in 24 h: the answer is stored in the same transaction, so that an effect and the memory of it
 * come together or not at all.
 *
 *     claim (caller, method, id) ─▶ new: work, remember the answer, commit
 *                                ─▶ known: the first answer, if the body is the same
 *
 * Of equal requests at once the first one claims; the others wait for its transaction and then find its answer, or claim anew when it failed. So a
 * caller who does not know how a commit ended (F75) asks again with the same id.
 *
 * @throws PenstockError `invalidArgument` for a bad id, or one that was used with another body.
 */
export async function once<Answer>(
  { db, digest: digestOf }: OnceParts,
  caller: Caller,
  request: IdempotentRequest | undefined,
  codec: AnswerCodec<Answer>,
  work: (sql: Sql) => Promise<Answer>,
): Promise<Answer> {
  if (request === undefined) return db.transaction(work);
  checkId(request.id);
  const digest = digestOf(request.body);
  const key: RequestKey = [caller.subject, request.method, request.id];
  return db.transaction(async (sql) => {
    const known = await claim(sql, key, digest);
    if (known !== null) return codec.read(known);
    const answer = await work(sql);
    await remember(sql, key, codec.write(answer));
    return answer;
  });
}

type RequestKey = readonly [caller: string, method: string, id: string];

/** The first answer; null = the request is new and now ours. */
async function claim(
  sql: Sql,
  [caller, method, id]: RequestKey,
  digest: Buffer,
): Promise<string | null> {
  const claimed = await sql`
    insert into api_requests as known (caller, method, request_id, body_digest, response)
    values (${caller}, ${method}, ${id}, ${digest}, '')
    on conflict (caller, method, request_id) do update
       set body_digest = excluded.body_digest, response = '', made_at = now()
     where known.made_at < now() - ${REQUEST_HOURS_MAX}::int * interval '1 hour'`;
  if (claimed.count === 1) return null;
  const rows = await sql<{ body_digest: Buffer; response: Buffer }[]>`
    select body_digest, response from api_requests
     where caller = ${caller} and method = ${method} and request_id = ${id}`;
  const [known] = rows;
  if (known === undefined) {
    throw new PenstockError(
      "aborted",
      "The answer to this request_id has just expired: try again.",
    );
  }
  if (!known.body_digest.equals(digest)) {
    throw invalidField(
      "request_id",
      "request_id was used for another request: take a new one for each change.",
    );
  }
  return known.response.toString("utf8");
}

async function remember(sql: Sql, [caller, method, id]: RequestKey, answer: string): Promise<void> {
  await sql`
    update api_requests set response = ${Buffer.from(answer, "utf8")}
     where caller = ${caller} and method = ${method} and request_id = ${id}`;
}

function checkId(id: string): void {
  if (/^[\x20-\x7e]{1,128}$/.test(id)) return;
  throw invalidField("request_id", "request_id must be 1 to 128 printable ASCII characters.");
}

/** For calls that answer with nothing. */
export const NO_ANSWER: AnswerCodec<void> = { write: () => "", read: () => {} };
