/**
 * What must survive a restart, as small named items in one SQLite file. A checkpoint is one
 * transaction, on the disk when it returns. The file is locked while it is open, so that two
 * receivers never share a folder.
 */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { MetricFamily } from "../metric-family.js";
import type { Stage } from "../stage.js";

/** Written into the file; a later version of the format gets another number. */
const FORMAT = 1;
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
/** In pages of 4 KiB: the journal stays at about a megabyte, which small disks have too. */
const JOURNAL_PAGES = 256;

/** The file cannot be used; the message says why and what to do. */
export class StateStoreError extends Error {
  override readonly name = "StateStoreError";
}

/** An item of a kind: bytes or text under a key. */
export interface StateItem {
  readonly key: string;
  readonly body: Uint8Array | string;
}

/** A state file; everything but its start is synchronous. */
export class StateStore implements Stage {
  private readonly file: string;
  private opened: OpenStore | undefined;

  constructor(file: string) {
    this.file = file;
  }

  /** @throws StateStoreError when the file is in use, damaged, or of a later version */
  async start(): Promise<void> {
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      this.opened = openStore(this.file);
    } catch (error) {
      const reason = reasonOf(error as SqliteError);
      throw new StateStoreError(`${this.file}: ${reason}`, { cause: error });
    }
  }

  async shutdown(): Promise<void> {
    this.opened?.database.close();
    this.opened = undefined;
  }

  metrics(): MetricFamily[] {
    return [];
  }

  /** Runs `change` as one transaction: all of it is on the disk when this returns, or none. */
  transaction(change: () => void): void {
    const { database } = this.open;
    database.exec("BEGIN IMMEDIATE");
    try {
      change();
      database.exec("COMMIT");
    } catch (error) {
      // SQLite has rolled back by itself when the disk is full.
      if (database.isTransaction) database.exec("ROLLBACK");
      // The next one then finds the room that the journal has taken.
      if ((error as SqliteError).errcode === SQLITE_FULL) this.emptyJournal();
      throw error;
    }
  }

  private emptyJournal(): void {
    try {
      this.open.database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Even that takes room; the error that led here says it all.
    }
  }

  put(kind: string, key: string, body: Uint8Array | string): void {
    this.open.insert.run(kind, key, body);
  }

  delete(kind: string, key: string): void {
    this.open.remove.run(kind, key);
  }

  /** All items of a kind, by key. */
  items(kind: string): StateItem[] {
    return this.open.select.all(kind) as unknown as StateItem[];
  }

  private get open(): OpenStore {
    if (this.opened === undefined) throw new Error(`${this.file} is not open`);
    return this.opened;
  }
}

interface OpenStore {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
  readonly remove: StatementSync;
  readonly select: StatementSync;
}

function openStore(file: string): OpenStore {
  const database = openDatabase(file);
  return {
    database,
    insert: database.prepare(
      "INSERT INTO item (kind, key, body) VALUES (?, ?, ?) " +
        "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
    ),
    remove: database.prepare("DELETE FROM item WHERE kind = ? AND key = ?"),
    select: database.prepare("SELECT key, body FROM item WHERE kind = ? ORDER BY key"),
  };
}

type SqliteError = Error & { errcode?: number; code?: string };

function openDatabase(file: string): DatabaseSync {
  const database = new (loadSqlite().DatabaseSync)(file);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    // The log's files are deleted on the strength of a checkpoint, so that must be on the disk.
    database.exec("PRAGMA synchronous = FULL");
    database.exec(`PRAGMA wal_autocheckpoint = ${JOURNAL_PAGES}`);
    database.exec("BEGIN EXCLUSIVE");
    const { user_version: format } = database.prepare("PRAGMA user_version").get() as {
      user_version: number;
    };
    if (format > FORMAT) {
      throw new Error(`is of a later version (${format}); use that version of Tidemark`);
    }
    // A file that is as it should be is not written to: the disk may be full.
    if (format !== FORMAT) createItems(database);
    database.exec("COMMIT");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function createItems(database: DatabaseSync): void {
  database.exec(
    "CREATE TABLE IF NOT EXISTS item (kind TEXT, key TEXT, body, PRIMARY KEY (kind, key)) " +
      "WITHOUT ROWID",
  );
  database.exec(`PRAGMA user_version = ${FORMAT}`);
}

function reasonOf(error: SqliteError): string {
  if (error.errcode === SQLITE_BUSY) {
    const instead = "choose another service.storage.directory";
    return `is in use by another receiver; stop that one, or ${instead}`;
  }
  if (error.errcode === SQLITE_FULL) return "cannot be written, the disk is full; make room";
  if (error.code === "ERR_SQLITE_ERROR") {
    return `is damaged (${error.message}); move it away: windows then begin anew, the log is kept`;
  }
  return error.message;
}

/** Node before 24 calls its SQLite experimental on stderr, which would only worry people. */
function loadSqlite(): typeof import("node:sqlite") {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return createRequire(import.meta.url)("node:sqlite") as typeof import("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}
