import type { CreateMappingInput, MappingInput } from "@penstock/core";
import type { Caller } from "@penstock/runtime";
import type { MappingView } from "../store/mapping-views.ts";
import type { StoredMapping } from "../store/rows/stored-mapping.ts";

/**
 * What can be done with mappings, for both faces alike: gRPC and the AWS wire translate messages and call this, nothing else of the store.
 *
 * Every mutation validates, then makes its change, its event, its audit row and (with a request id) its remembered answer in one
 * transaction. Errors are PenstockErrors. `uuid` in any case; malformed = `invalidArgument` with an `aws` constraint at `uUID`.
 */
export interface MappingCommands {
  /** @throws `invalidArgument` (also for an unknown function), `conflict` for a duplicate source or consumer group id. */
  create(
    caller: Caller,
    input: CreateMappingInput,
    request?: IdempotentRequest,
  ): Promise<MappingView>;

  /** With partitions, gaps and what it waits for. @throws `notFound`. */
  get(uuid: string): Promise<MappingView>;

  /**
   * A page, oldest first: at most `size` (itself at most 100) that come after `after` (null = from the beginning). `next` is the `after` of the
   * next page, null on the last one. Filter criteria under a KMS key are hidden: `filterPatterns` is empty.
   */
  list(query: ListMappingsQuery, after: bigint | null, size: number): Promise<MappingPage>;

  /**
   * @param maskPaths the settings to take, null = those that were sent
   * @throws `notFound`, `aborted` when the etag is not the present one, `inUse` while it is being created, updated, enabled (at most 30 s) or
   * deleted, `invalidArgument`, `conflict`. An equal update changes nothing, in any state but Deleting.
   */
  update(
    caller: Caller,
    uuid: string,
    input: MappingInput,
    maskPaths: readonly string[] | null,
    guard?: MutationGuard,
    request?: IdempotentRequest,
  ): Promise<MappingView>;

  /** Accepted in every state, repeatably until the mapping is gone. @throws `notFound`, `aborted`. */
  delete(
    caller: Caller,
    uuid: string,
    guard?: DeletionGuard,
    request?: IdempotentRequest,
  ): Promise<MappingView>;

  /** Adds tags, replacing those with the same keys. @throws `notFound` in AWS's words, `invalidArgument`. */
  tag(
    caller: Caller,
    arn: string,
    tags: Readonly<Record<string, string>>,
    request?: IdempotentRequest,
  ): Promise<void>;

  /** Removes tags; a key that is not there is no error. @throws `notFound`, `invalidArgument`. */
  untag(
    caller: Caller,
    arn: string,
    keys: readonly string[],
    request?: IdempotentRequest,
  ): Promise<void>;

  /** @throws `notFound`, `invalidArgument`. */
  tags(arn: string): Promise<ReadonlyMap<string, string>>;
}

export interface ListMappingsQuery {
  /** Any form of its name; unqualified = all its versions and aliases. */
  readonly functionName?: string;
  /** Of MSK: nothing has one, so the list is empty. */
  readonly eventSourceArn?: string;
}

export interface MappingPage {
  readonly mappings: readonly StoredMapping[];
  readonly next: bigint | null;
}

export interface MutationGuard {
  /** `etagOf` the mapping as the caller read it. */
  readonly etag?: string;
}

export interface DeletionGuard extends MutationGuard {
  /** Also delete the consumer group from Kafka at the end. */
  readonly deleteConsumerGroup?: boolean;
}

/**
 * A call that may be repeated: the same caller, method and id within 24 h gets the first one's answer and changes nothing.
 */
export interface IdempotentRequest {
  /** Name of the operation, such as `CreateEventSourceMapping`. */
  readonly method: string;
  /** 1 to 128 printable ASCII characters. */
  readonly id: string;
  /** What was asked for, without the id: another body under the same id is refused. Any plain data or message; order of keys is of no matter. */
  readonly body: unknown;
}
