import { type Clock, PenstockError } from "@penstock/core";
import type { SecretReference } from "../reference/secret-reference.ts";
import type { SecretReader, SecretReaders } from "../stores/secret-reader.ts";
import { SecretValue } from "./secret-value.ts";
import { Turns } from "./turns.ts";

/**
 * The secrets that this process has read.
 *
 *     absent ─read─▶ fresh ─ttl, or refused by the brokers─▶ old ─read─▶ fresh
 *                                                             │ the store is away: the last value stays in use, asked again later
 *                                                             └ the store says gone or denied: forgotten
 *
 * Callers of the same secret share one read. The number of entries and of reads at once is bounded; the entry that was used longest ago makes room.
 */
export interface SecretStoreOptions {
  readonly readers: SecretReaders;
  readonly clock: Clock;
  /** How long a value from a remote store is used without asking again. */
  readonly ttlMs: number;
  readonly entriesMax: number;
  readonly log?: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void };
}

interface Entry {
  value: SecretValue | null;
  readAtMs: number;
  /** What came of the last read, when it failed. */
  failure: { readonly error: PenstockError; readonly atMs: number } | null;
  /** Refused by the brokers since the last read began. */
  isRefused: boolean;
  reading: Promise<SecretValue> | null;
}

/** Files and variables cost nothing: what is changed there is seen at once. */
const LOCAL_TTL_MS = 250;
/** A remote store is not asked again sooner after a failure, or for a value that was refused. */
const REMOTE_PAUSE_MS = 1_000;
const READS_AT_ONCE_MAX = 16;

export class SecretStore {
  readonly #options: SecretStoreOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #turns = new Turns(READS_AT_ONCE_MAX);

  constructor(options: SecretStoreOptions) {
    this.#options = options;
  }

  /** @throws PenstockError `secretMissing`, `secretMalformed`, `secretDenied`, `secretUnavailable`; messages name the reference only. */
  async read(reference: SecretReference): Promise<SecretValue> {
    const entry = this.#entryOf(reference.uri);
    const { reading } = entry;
    if (reading !== null) {
      if (!entry.isRefused) return await reading;
      // That read began before the refusal: what it brings may be what was refused.
      await reading.catch(ignore);
      return await this.read(reference);
    }
    const known = this.#known(reference, entry);
    if (known !== null) return known;
    if (entry.reading !== null) return await entry.reading;
    const started = this.#turns.run(() => this.#refresh(reference, entry));
    entry.reading = started;
    try {
      return await started;
    } finally {
      entry.reading = null;
    }
  }

  /** The brokers refused the value of that version: the next read asks where it comes from. */
  refused(uri: string, version: string): void {
    const entry = this.#entries.get(uri);
    if (entry?.value?.version === version) entry.isRefused = true;
  }

  /** What can be answered without a read; throws a failure that is too young to try again. */
  #known(reference: SecretReference, entry: Entry): SecretValue | null {
    const { isRemote } = this.#readerOf(reference);
    const nowMs = this.#options.clock.nowMs();
    const { value, failure } = entry;
    if (isRemote && failure !== null && nowMs - failure.atMs < REMOTE_PAUSE_MS) {
      if (value === null) throw failure.error;
      return value;
    }
    if (value === null || failure !== null) return null;
    const ageMs = nowMs - entry.readAtMs;
    if (entry.isRefused) return isRemote && ageMs < REMOTE_PAUSE_MS ? value : null;
    return ageMs < (isRemote ? this.#options.ttlMs : LOCAL_TTL_MS) ? value : null;
  }

  async #refresh(reference: SecretReference, entry: Entry): Promise<SecretValue> {
    const { clock, log } = this.#options;
    const wasRefused = entry.isRefused;
    entry.isRefused = false;
    try {
      const text = await this.#readerOf(reference).read(reference);
      const value = new SecretValue(text);
      // The same text stays the same object, so that what was made of it is not made again.
      entry.value = entry.value?.version === value.version ? entry.value : value;
      entry.readAtMs = clock.nowMs();
      entry.failure = null;
      return entry.value;
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      const isFirst = entry.failure === null;
      entry.failure = { error, atMs: clock.nowMs() };
      entry.isRefused ||= wasRefused;
      if (error.code !== "secretUnavailable") entry.value = null;
      if (entry.value === null) throw error;
      if (isFirst) {
        log?.warn("a secret can't be read again, its last value stays in use", {
          reference: reference.uri,
          error,
        });
      }
      return entry.value;
    }
  }

  #readerOf(reference: SecretReference): SecretReader {
    return this.#options.readers[reference.kind] as SecretReader;
  }

  #entryOf(uri: string): Entry {
    const known = this.#entries.get(uri);
    const entry = known ?? {
      value: null,
      readAtMs: 0,
      failure: null,
      isRefused: false,
      reading: null,
    };
    this.#entries.delete(uri);
    this.#entries.set(uri, entry);
    if (known === undefined && this.#entries.size > this.#options.entriesMax) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    return entry;
  }
}

/** The failed read is told to whoever started it. */
function ignore(): void {}
