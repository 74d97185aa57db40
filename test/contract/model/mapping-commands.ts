/** What can be done to mappings, as fast-check commands: each does it to the real service and judges the answer by the model. */
import { randomUUID } from "node:crypto";
import { Code } from "@connectrpc/connect";
import { mapping } from "@penstock/proto";
import fc from "fast-check";
import { expect } from "vitest";
import type { MappingModel, ModelMapping } from "./mapping-model.ts";
import { type Mapping, type ModelWorld, type Outcome, outcome, SLOTS } from "./model-world.ts";

export type Command = fc.AsyncCommand<MappingModel, ModelWorld>;
type Change = { batchSize?: number; enabled?: boolean };

const { DELETING, DISABLED, ENABLED } = mapping.MappingState;

/** A command on a slot; `needsMapping`: only where the model has one. */
abstract class SlotCommand implements Command {
  readonly slot: number;
  readonly needsMapping: boolean = true;

  constructor(slot: number) {
    this.slot = slot;
  }

  check(model: Readonly<MappingModel>): boolean {
    return !model.isOver && (!this.needsMapping || model.mappings.has(this.slot));
  }

  async run(model: MappingModel, real: ModelWorld): Promise<void> {
    await this.act(model, real);
    real.assertQuiet(model);
  }

  abstract act(model: MappingModel, real: ModelWorld): Promise<void>;

  own(model: MappingModel): ModelMapping {
    return model.mappings.get(this.slot) as ModelMapping;
  }

  toString(): string {
    return `${this.constructor.name}(${Object.values(this).slice(0, -1).join(", ")})`;
  }
}

/** Also: repeated with the same request id it has one effect, also when the service is killed between. */
class Create extends SlotCommand {
  override readonly needsMapping = false;
  readonly batchSize: number;
  readonly repeat: "no" | "again" | "after a kill";

  constructor(slot: number, batchSize: number, repeat: Create["repeat"]) {
    super(slot);
    this.batchSize = batchSize;
    this.repeat = repeat;
  }

  async act(model: MappingModel, real: ModelWorld): Promise<void> {
    const requestId = randomUUID();
    const call = () => real.create(this.slot, this.batchSize, requestId);
    const before = model.mappings.get(this.slot);
    let answer: Outcome<Mapping>;
    if (this.repeat === "after a kill") {
      const lost = outcome(call);
      await real.kill();
      model.marks.crashes++;
      const first = await lost;
      await real.restart();
      answer = await outcome(call);
      if (first.value !== null) expect(answer.value?.uuid).toBe(first.value.uuid);
    } else answer = await outcome(call);
    if (answer.code === Code.AlreadyExists) {
      expect(before, "a duplicate of nothing").toBeDefined();
      model.marks.duplicates++;
      return;
    }
    if (answer.value === null) throw answer.error;
    if (before !== undefined) {
      expect(before.isDeleting, "two mappings of one slot").toBe(true);
      expect(await real.find(before.uuid)).toBeNull();
    }
    model.marks.created++;
    const { uuid, revision, etag } = answer.value;
    expect(model.uuids.has(uuid)).toBe(false);
    model.uuids.add(uuid);
    model.mappings.set(this.slot, {
      ...{ slot: this.slot, uuid, batchSize: this.batchSize, revision, etag, oldEtag: null },
      ...{ isEnabled: true, isSettled: false, isDeleting: false },
    });
    if (this.repeat === "again") {
      expect((await call()).uuid).toBe(uuid);
      const other = await outcome(() => real.create(this.slot, this.batchSize + 1, requestId));
      expect(other.code).toBe(Code.InvalidArgument);
    }
    const same = (await real.listAll()).filter(
      ({ functionArn, topics, state }) =>
        functionArn.endsWith(`:${real.functionName(this.slot)}`) &&
        topics[0] === real.topic(this.slot) &&
        state !== DELETING,
    );
    expect(same.map((each) => each.uuid)).toEqual([uuid]);
  }
}

class Update extends SlotCommand {
  readonly change: Change;
  readonly isStale: boolean;

  constructor(slot: number, change: Change, isStale: boolean) {
    super(slot);
    this.change = change;
    this.isStale = isStale;
  }

  override toString(): string {
    return `Update(${this.slot}, ${JSON.stringify(this.change)}${this.isStale ? ", stale" : ""})`;
  }

  async act(model: MappingModel, real: ModelWorld): Promise<void> {
    const own = this.own(model);
    const { batchSize = own.batchSize, enabled = own.isEnabled } = this.change;
    const isChange = batchSize !== own.batchSize || enabled !== own.isEnabled;
    if (enabled) model.mayStart(own.uuid);
    const etag = this.isStale ? own.oldEtag : null;
    const answer = await outcome(() =>
      real.update(own.uuid, { ...this.change, ...(etag !== null && { etag }) }),
    );
    if (answer.value === null) {
      model.didNotStart(own);
      this.judgeRefusal(own, etag, answer);
      if (answer.code === Code.FailedPrecondition) model.marks.refusedInUse++;
      return;
    }
    expect(own.isDeleting, "an update of what is being deleted").toBe(false);
    expect(etag, "an update by an old etag").toBeNull();
    if (!isChange) model.didNotStart(own);
    const { revision } = answer.value;
    expect(answer.value.batchSize).toBe(batchSize);
    expect(revision >= own.revision, "revisions never fall").toBe(true);
    if (isChange) {
      expect(revision > own.revision, "a change has a new revision").toBe(true);
      own.oldEtag = own.etag;
      own.isSettled = false;
    }
    Object.assign(own, { batchSize, isEnabled: enabled, revision, etag: answer.value.etag });
  }

  judgeRefusal(own: ModelMapping, etag: string | null, { code, error }: Outcome<Mapping>): void {
    const isRight =
      (code === Code.Aborted && etag !== null) ||
      (code === Code.FailedPrecondition && (!own.isSettled || own.isDeleting)) ||
      (code === Code.NotFound && own.isDeleting);
    if (!isRight) throw error;
  }
}

/** A change, and another before the first can be in effect. */
class UpdateTwice extends SlotCommand {
  async act(model: MappingModel, real: ModelWorld): Promise<void> {
    const { isEnabled, batchSize } = this.own(model);
    await new Update(this.slot, { enabled: !isEnabled }, false).act(model, real);
    await new Update(this.slot, { batchSize: batchSize + 1 }, false).act(model, real);
  }
}

class Delete extends SlotCommand {
  async act(model: MappingModel, real: ModelWorld): Promise<void> {
    const own = this.own(model);
    const answer = await outcome(() => real.delete(own.uuid));
    if (answer.value !== null) expect(answer.value.state).toBe(DELETING);
    else if (answer.code !== Code.NotFound || !own.isDeleting) throw answer.error;
    own.isDeleting = true;
    own.isSettled = false;
  }
}

/** Waits for the steady state, which must be what was asked for last. */
class Settle extends SlotCommand {
  async act(model: MappingModel, real: ModelWorld): Promise<void> {
    const own = this.own(model);
    const found = await real.settle(own);
    if (found === null) {
      model.marks.gone++;
      model.stopped(own.uuid);
      model.mappings.delete(this.slot);
      return;
    }
    expect(found.state).toBe(own.isEnabled ? ENABLED : DISABLED);
    expect(found.batchSize).toBe(own.batchSize);
    expect(found.revision >= own.revision, "revisions never fall").toBe(true);
    Object.assign(own, { isSettled: true, revision: found.revision, etag: found.etag });
    if (!own.isEnabled) model.stopped(own.uuid);
  }
}

class Write extends SlotCommand {
  override readonly needsMapping = false;

  async act(_: MappingModel, real: ModelWorld): Promise<void> {
    await real.write(this.slot, 20);
  }
}

/** Get and list agree with each other and with the model. */
class Look extends SlotCommand {
  override readonly needsMapping = false;

  async act(model: MappingModel, real: ModelWorld): Promise<void> {
    const listed = new Map((await real.listAll()).map((each) => [each.uuid, each]));
    for (const own of model.mappings.values()) {
      const found = await real.find(own.uuid);
      const inList = listed.get(own.uuid);
      if (!own.isDeleting) expect([found?.uuid, inList?.uuid]).toEqual([own.uuid, own.uuid]);
      listed.delete(own.uuid);
      if (found === null || inList === undefined) continue;
      if (own.isDeleting) expect(found.state).toBe(DELETING);
      expect([found.batchSize, inList.batchSize]).toEqual([own.batchSize, own.batchSize]);
      expect(inList.revision >= own.revision && found.revision >= inList.revision).toBe(true);
      own.revision = found.revision;
    }
    expect([...listed.keys()], "mappings that nobody created").toEqual([]);
  }
}

class Crash extends SlotCommand {
  override readonly needsMapping = false;

  async act(model: MappingModel, real: ModelWorld): Promise<void> {
    await real.kill();
    await real.restart();
    model.marks.crashes++;
  }
}

const slot = fc.nat({ max: SLOTS - 1 });
const batchSize = fc.integer({ min: 1, max: 5 }).map((tens) => tens * 10);
const isStale = fc.boolean();

const change = fc.oneof(
  batchSize.map((size) => ({ batchSize: size })),
  fc.boolean().map((enabled) => ({ enabled })),
);

/** Crashes take seconds each, so they are rare. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(slot, batchSize, fc.constantFrom<Create["repeat"]>("no", "again"))
      .map((chosen) => new Create(...chosen)),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(slot, change, isStale).map((chosen) => new Update(...chosen)),
  },
  { weight: 2, arbitrary: slot.map((at) => new UpdateTwice(at)) },
  { weight: 2, arbitrary: slot.map((at) => new Delete(at)) },
  { weight: 5, arbitrary: slot.map((at) => new Settle(at)) },
  { weight: 2, arbitrary: slot.map((at) => new Write(at)) },
  { weight: 2, arbitrary: slot.map((at) => new Look(at)) },
  { weight: 1, arbitrary: slot.map((at) => new Crash(at)) },
);

/** Everything once, in an order in which it makes sense. */
export const TOUR: readonly Command[] = [
  new Create(0, 10, "again"),
  new Create(0, 10, "no"),
  new UpdateTwice(0),
  new Settle(0),
  new Write(0),
  new Look(0),
  new Update(0, { enabled: false }, false),
  new Settle(0),
  new Write(0),
  new Update(0, { batchSize: 20 }, true),
  new Update(0, { batchSize: 30 }, false),
  new Crash(0),
  new Settle(0),
  new Update(0, { enabled: true }, false),
  new Create(1, 10, "after a kill"),
  new Settle(0),
  new Delete(1),
  new Create(1, 10, "no"),
  new Settle(1),
  new Look(0),
];

/** Leaves nothing: deletes what there is and waits until it is gone. */
export async function clear(model: MappingModel, real: ModelWorld): Promise<void> {
  for (const at of model.mappings.keys()) await new Delete(at).run(model, real);
  for (const at of [...model.mappings.keys()]) await new Settle(at).run(model, real);
}
