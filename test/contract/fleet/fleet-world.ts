import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalPostgres, startPostgres } from "@penstock/local";
import { type Database, migrate, openDatabase } from "@penstock/postgres";
import { FakeNode } from "./fake-node.ts";
import { silentLog, startReplica, type TestReplica } from "./test-fleet.ts";

/** A Postgres for one test file, and what its tests start, which ends after each of them. */
export class FleetWorld {
  readonly server: LocalPostgres;
  readonly #folder: string;
  readonly #databases: Database[] = [];
  readonly #replicas: TestReplica[] = [];
  readonly #nodes: FakeNode[] = [];
  #count = 0;

  private constructor(server: LocalPostgres, folder: string) {
    this.server = server;
    this.#folder = folder;
  }

  /** `isDurable`: what was committed survives a kill of the server. */
  static async start(isDurable = false): Promise<FleetWorld> {
    const folder = mkdtempSync(join(tmpdir(), "penstock-fleet-"));
    chmodSync(folder, 0o711);
    const server = await startPostgres({ dataDir: join(folder, "postgres"), fsync: isDurable });
    const url = await server.createDatabase("template_fleet");
    const template = openDatabase({ url, log: silentLog });
    await migrate(template, silentLog);
    await template.close();
    return new FleetWorld(server, folder);
  }

  /** A new, migrated database. */
  async database(): Promise<Database> {
    this.#count++;
    return this.open(await this.server.createDatabase(`fleet_${this.#count}`, "template_fleet"));
  }

  /** One more client of a database, as another process has it. */
  open(url: string): Database {
    const db = openDatabase({ url, log: silentLog });
    this.#databases.push(db);
    return db;
  }

  /** URL of a new, migrated database. */
  async url(): Promise<string> {
    this.#count++;
    return this.server.createDatabase(`fleet_${this.#count}`, "template_fleet");
  }

  async replica(...[db, options]: Parameters<typeof startReplica>): Promise<TestReplica> {
    const replica = await startReplica(db, options);
    this.#replicas.push(replica);
    return replica;
  }

  node(...[address, options]: ConstructorParameters<typeof FakeNode>): FakeNode {
    const node = new FakeNode(address, options);
    this.#nodes.push(node);
    return node;
  }

  async clear(): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.vanish()));
    await Promise.all(this.#replicas.splice(0).map((replica) => replica.stop()));
    await Promise.all(this.#databases.splice(0).map((db) => db.close()));
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
