/**
 * A real PostgreSQL on this machine, from the programs that npm installed: loopback only, a password that is made
 * once and kept beside the data (mode 0600), ready in 0.1 s after a first start of a second or two.
 *
 *     <dataDir>/data      the cluster, owned by the user that Postgres runs as
 *     <dataDir>/password  of the superuser `penstock`
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { PenstockError } from "@penstock/core";
import { freePort, isPortFree } from "../process/free-port.ts";
import { ServerProcess } from "../process/server-process.ts";
import { createDatabase } from "./create-database.ts";
import { fallbackFolder } from "./fallback-folder.ts";
import { canReach, type OsUser, postgresUser } from "./os-user.ts";
import { type PostgresPrograms, postgresPrograms } from "./postgres-programs.ts";
import { simpleQuery } from "./simple-query.ts";

export interface LocalPostgresOptions {
  /** Made when missing; a folder with data is continued. */
  dataDir: string;
  /** Default: a free one. */
  port?: number | undefined;
  /** Default true. False only where the data is thrown away afterwards: a crash of the machine may damage it. */
  fsync?: boolean | undefined;
  /** Where to write down the process, so that a later run can end it if we can't. */
  pidFile?: string | undefined;
  /** Lines of the server's own log, and where the data went when `dataDir` can't be used. */
  log?: ((line: string) => void) | undefined;
}

export interface LocalPostgres {
  /** Of the database `penstock`, password included. */
  readonly url: string;
  readonly port: number;
  /** Where the data really is: `dataDir`, or the fallback when the database's OS user can't reach that. */
  readonly dataDir: string;
  readonly pid: number;
  /** Settles when the current process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Makes a database, a copy of `template` when given (which nobody may be connected to), and answers its URL. */
  createDatabase(name: string, template?: string): Promise<string>;
  stop(): Promise<void>;
  /** SIGKILL to the server and its backends; settles when the server is gone. */
  kill(): Promise<void>;
  /** SIGSTOP to the server and its backends: connections stay open and silent. */
  pause(): void;
  resume(): void;
  /** Stops if running, starts on the same port and data, waits until ready. */
  restart(): Promise<void>;
}

const USER = "penstock";
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
const PORT_ATTEMPTS_MAX = 5;

export async function startPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const user = postgresUser();
  const programs = postgresPrograms(user);
  const dataDir = usableFolder(resolve(options.dataDir), user, options.log);
  const password = await initialise(programs, dataDir, user);
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    try {
      return await startOn({ ...options, dataDir }, { programs, user, password, port });
    } catch (cause) {
      // A port that we picked can be taken by somebody else before the server binds it.
      const isTaken = options.port === undefined && !(await isPortFree(port));
      if (!isTaken || attempt === PORT_ATTEMPTS_MAX) throw cause;
    }
  }
}

interface Launch {
  programs: PostgresPrograms;
  user: OsUser | undefined;
  password: string;
  port: number;
}

async function startOn(options: LocalPostgresOptions, launch: Launch): Promise<LocalPostgres> {
  const { port, password } = launch;
  const data = join(options.dataDir, "data");
  const query = (sql: string, database = "postgres"): Promise<void> =>
    simpleQuery({ port, user: USER, password, database }, sql);
  const urlOf = (database: string): string =>
    `postgres://${USER}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;

  async function start(): Promise<ServerProcess> {
    if (!(await isPortFree(port))) {
      throw new PenstockError(
        "unavailable",
        `Port ${port} for Postgres is in use by another program.`,
      );
    }
    const server = new ServerProcess({
      name: "Postgres",
      command: launch.programs.postgres,
      arguments: ["-D", data, ...serverFlags(port, options.fsync ?? true)],
      user: launch.user,
      cwd: options.dataDir,
      farewell: "INT",
      stopSignal: "SIGINT", // "fast": ends connections, then writes a checkpoint
      stopLimitMs: STOP_LIMIT_MS,
      pidFile: options.pidFile,
      onLine: options.log,
    });
    await server.ready(() => isServing(() => query("SELECT 1")), START_LIMIT_MS);
    return server;
  }

  let server = await start();
  if (!(await isServing(() => query("SELECT 1", USER)))) await query(`CREATE DATABASE ${USER}`);
  return {
    url: urlOf(USER),
    port,
    dataDir: options.dataDir,
    get pid() {
      return server.pid;
    },
    get exited() {
      return server.exited;
    },
    createDatabase: (name, template) => createDatabase(urlOf(USER), name, template),
    stop: () => server.stop(),
    async kill() {
      server.kill();
      await server.exited;
    },
    pause: () => server.pause(),
    resume: () => server.resume(),
    async restart() {
      await server.stop();
      server = await start();
    },
  };
}

function serverFlags(port: number, fsync: boolean): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 200,
    shared_buffers: "64MB",
    ...(fsync ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  return Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
}

async function isServing(probe: () => Promise<void>): Promise<boolean> {
  try {
    await probe();
    return true;
  } catch {
    return false; // refused, or "the database system is starting up"
  }
}

/** Makes the cluster unless it is there, and answers the password. An interrupted first start leaves nothing behind. */
async function initialise(
  programs: PostgresPrograms,
  dataDir: string,
  user: OsUser | undefined,
): Promise<string> {
  const passwordFile = join(dataDir, "password");
  const data = join(dataDir, "data");
  if (existsSync(data)) return readFileSync(passwordFile, "utf8");
  const password = randomBytes(18).toString("base64url");
  const part = `${data}.part`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { mode: 0o700 });
  if (user !== undefined) chownSync(part, user.uid, user.gid);
  const passwordForInitdb = `${part}.password`;
  writeFileSync(passwordForInitdb, password, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordForInitdb, user.uid, user.gid);
  try {
    await runInitdb(programs, part, passwordForInitdb, user);
  } finally {
    rmSync(passwordForInitdb, { force: true });
  }
  writeFileSync(passwordFile, password, { mode: 0o600 });
  renameSync(part, data);
  return password;
}

function runInitdb(
  { initdb }: PostgresPrograms,
  data: string,
  passwordFile: string,
  user: OsUser | undefined,
): Promise<void> {
  const flags = [
    ...["-D", data, "-U", USER, `--pwfile=${passwordFile}`],
    // The server keeps a SCRAM verifier; the password itself crosses the loopback interface only.
    ...["--auth=password", "--encoding=UTF8", "--locale=C", "--no-instructions"],
  ];
  return new Promise((done, reject) => {
    execFile(initdb, flags, { ...user, cwd: dirname(data) }, (cause, _stdout, stderr) => {
      if (cause === null) return done();
      reject(new PenstockError("unavailable", `initdb failed:\n${stderr}`, { cause }));
    });
  });
}

function usableFolder(
  wanted: string,
  user: OsUser | undefined,
  log: LocalPostgresOptions["log"],
): string {
  mkdirSync(wanted, { recursive: true, mode: 0o711 });
  if (canReach(user, wanted)) {
    if (user !== undefined) chmodSync(wanted, 0o711);
    return wanted;
  }
  const folder = fallbackFolder(wanted);
  log?.(`The user that runs Postgres can't reach ${wanted}: its data is in ${folder}`);
  return folder;
}
