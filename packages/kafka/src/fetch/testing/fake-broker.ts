/**
 * A broker in memory, as far as fetching goes: logs, sessions, long polls, and everything that can go wrong with them.
 *
 * Answers leave when the test (or the delay it set) says so, which is how a long poll gets old.
 */
import type { Connection } from "@platformatic/kafka";
import { Reader } from "@platformatic/kafka";
import { encodeRecordBatch, record } from "../../decode/testing/encode-record-batch.ts";
import { partitionId } from "../partition-fetch.ts";
import {
  type Answer,
  type AnswerPartition,
  type ReadPartition,
  type ReadRequest,
  readRequest,
  writeAnswer,
} from "./fetch-wire.ts";
import { NAMED_TOPIC, readNamedRequest, writeNamedAnswer } from "./named-fetch-wire.ts";

export class FakeLog {
  batches: { baseOffset: bigint; nextOffset: bigint; bytes: Buffer }[] = [];
  logStart = 0n;
  end = 0n;
  /** Answered instead of records. */
  errorCode = 0;
  preferredReplica = -1;

  /** A batch with one record for each value. */
  append(...values: (string | Buffer)[]): void {
    const records = values.map((value, i) => record(i, value));
    const bytes = encodeRecordBatch({ baseOffset: this.end, records });
    const nextOffset = this.end + BigInt(values.length);
    this.batches.push({ baseOffset: this.end, nextOffset, bytes });
    this.end = nextOffset;
  }

  /** As after compaction: offsets without records at the end. */
  hole(offsets: bigint): void {
    this.end += offsets;
  }
}

interface Session {
  epoch: number;
  readonly partitions: Map<string, ReadPartition>;
}

/** What a request asks for, with what its session holds. */
interface OpenFetch {
  readonly sessionId: number;
  readonly partitions: readonly ReadPartition[];
  readonly isFull: boolean;
}

interface Parked {
  readonly tryAnswer: () => void;
}

type Reply = (error: Error | null, body?: Buffer) => void;

export class FakeBroker {
  readonly logs = new Map<string, FakeLog>();
  readonly requests: ReadRequest[] = [];
  readonly sessions = new Map<number, Session>();
  /** Delay of each answer, ms. */
  answerDelayMs: () => number = () => 0;
  /** Overrides the answer to a request; undefined: as usual. */
  override: (request: ReadRequest) => Answer | Buffer | "never" | undefined = () => undefined;
  /** The id of the topic that has the name, where requests name it. */
  namedTopicId = "";
  /** Sessions are given out. */
  hasSessions = true;
  isDown = false;
  connections = 0;
  #open = new Set<FakeConnection>();
  #parked = new Set<Parked>();
  #lastSession = 100;

  log(topicId: string, partition: number): FakeLog {
    const id = partitionId(topicId, partition);
    let log = this.logs.get(id);
    if (!log) {
      log = new FakeLog();
      this.logs.set(id, log);
    }
    return log;
  }

  append(topicId: string, partition: number, ...values: (string | Buffer)[]): void {
    this.log(topicId, partition).append(...values);
    this.poke();
  }

  /** Looks at the parked requests again. */
  poke(): void {
    for (const parked of [...this.#parked]) parked.tryAnswer();
  }

  get parkedCount(): number {
    return this.#parked.size;
  }

  connect(): Connection {
    this.connections++;
    const connection = new FakeConnection(this);
    this.#open.add(connection);
    return connection as unknown as Connection;
  }

  /** Cuts all connections; requests on them fail. */
  cut(): void {
    for (const connection of [...this.#open]) connection.socket.destroy();
  }

  closed(connection: FakeConnection): void {
    this.#open.delete(connection);
  }

  /** Handles a request; `isGone` says whether its connection has ended. */
  handle(version: number, body: Buffer, reply: Reply, isGone: () => boolean): void {
    const isNamed = version < 13;
    const request = isNamed
      ? readNamedRequest(body, version, this.namedTopicId)
      : readRequest(body);
    this.requests.push(request);
    const write = (value: Answer) =>
      isNamed ? writeNamedAnswer(value, version, NAMED_TOPIC) : writeAnswer(value);
    const answer = (value: Answer | Buffer) => {
      setTimeout(() => {
        if (!isGone()) reply(null, Buffer.isBuffer(value) ? value : write(value));
      }, this.answerDelayMs());
    };
    const overridden = this.override(request);
    if (overridden === "never") return;
    const found = overridden ?? this.#session(request);
    if (typeof found === "number") answer({ errorCode: found });
    else if (Buffer.isBuffer(found) || !("isFull" in found)) answer(found);
    else this.#park(request, found, answer, isGone);
  }

  #park(
    request: ReadRequest,
    found: OpenFetch,
    answer: (value: Answer) => void,
    isGone: () => boolean,
  ): void {
    const { sessionId, partitions, isFull } = found;
    let isOver = request.maxWaitMs === 0;
    const parked: Parked = {
      tryAnswer: () => {
        const rows = this.#read(partitions, request.bytesMax);
        const isReady = rows.some(isNews);
        if (!isReady && !isGone() && !isOver) return;
        this.#parked.delete(parked);
        clearTimeout(timer);
        const changed = isFull ? rows : rows.filter(isNews);
        answer({ sessionId, partitions: changed });
      },
    };
    this.#parked.add(parked);
    const timer = setTimeout(() => {
      isOver = true;
      parked.tryAnswer();
    }, request.maxWaitMs);
    timer.unref();
    parked.tryAnswer();
  }

  #session(request: ReadRequest): number | OpenFetch {
    const { sessionId, sessionEpoch } = request;
    if (sessionEpoch === -1 || !this.hasSessions)
      return { sessionId: 0, partitions: [...request.partitions], isFull: true };
    if (sessionId === 0) {
      const id = ++this.#lastSession;
      const rows = request.partitions.map((row) => [idOf(row), row] as const);
      this.sessions.set(id, { epoch: 1, partitions: new Map(rows) });
      return { sessionId: id, partitions: [...request.partitions], isFull: true };
    }
    const session = this.sessions.get(sessionId);
    if (!session) return 70;
    if (session.epoch !== sessionEpoch) return 71;
    session.epoch++;
    for (const row of request.partitions) session.partitions.set(idOf(row), row);
    for (const row of request.forgotten) session.partitions.delete(idOf(row));
    return { sessionId, partitions: [...session.partitions.values()], isFull: false };
  }

  #read(partitions: readonly ReadPartition[], bytesMax: number): AnswerPartition[] {
    let room = bytesMax;
    return partitions.map((asked) => {
      const { topicId, partition, position } = asked;
      const log = this.log(topicId, partition);
      const name = { topicId, partition };
      if (log.errorCode !== 0) return { ...name, errorCode: log.errorCode };
      if (position < log.logStart || position > log.end) return { ...name, errorCode: 1 };
      const ends = { highWatermark: log.end, lastStableOffset: log.end, logStart: log.logStart };
      if (log.preferredReplica >= 0)
        return { ...name, ...ends, preferredReplica: log.preferredReplica };
      const parts: Buffer[] = [];
      let size = 0;
      for (const batch of log.batches) {
        if (batch.nextOffset <= position) continue;
        const isFirst = room === bytesMax && size === 0;
        if (!isFirst && size + batch.bytes.length > Math.min(room, asked.bytesMax)) break;
        parts.push(batch.bytes);
        size += batch.bytes.length;
      }
      room -= size;
      return { ...name, ...ends, records: Buffer.concat(parts) };
    });
  }
}

/** What an incremental answer names, and what ends a long poll. */
function isNews(row: AnswerPartition): boolean {
  return Boolean(row.errorCode || row.records?.length || (row.preferredReplica ?? -1) >= 0);
}

function idOf({ topicId, partition }: { topicId: string; partition: number }): string {
  return partitionId(topicId, partition);
}

/** As much of the library's Connection as a fetch channel uses. */
class FakeConnection {
  readonly #broker: FakeBroker;
  readonly #inFlight = new Set<Reply>();
  #isOpen = true;
  readonly socket = {
    destroy: () => {
      if (!this.#isOpen) return;
      this.#isOpen = false;
      this.#broker.closed(this);
      // As with a socket, its users learn of it later.
      setImmediate(() => {
        for (const reply of this.#inFlight) reply(new Error("Connection closed"));
        this.#inFlight.clear();
      });
    },
  };

  constructor(broker: FakeBroker) {
    this.#broker = broker;
  }

  isConnected(): boolean {
    return this.#isOpen;
  }

  send(
    apiKey: number,
    apiVersion: number,
    createPayload: () => { buffer: Buffer },
    parse: (id: number, key: number, version: number, reader: Reader) => unknown,
    _requestTags: boolean,
    _responseTags: boolean,
    callback: (error: Error | null, result?: unknown) => void,
  ): void {
    const reply: Reply = (error, body) => {
      this.#inFlight.delete(reply);
      if (error || !body) callback(error);
      else callback(null, parse(1, apiKey, apiVersion, Reader.from(body)));
    };
    if (!this.#isOpen) {
      reply(new Error("Connection closed"));
      return;
    }
    this.#inFlight.add(reply);
    this.#broker.handle(apiVersion, createPayload().buffer, reply, () => !this.#isOpen);
  }
}
