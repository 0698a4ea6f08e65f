/** The thread in which the state is read and written; state-store.ts asks, this answers. */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { NumberedRequest, StateAnswer, StateChange, StateRequest } from "./state-request.js";

/** Written into the file; a later version of the format gets another number. */
const FORMAT = 1;
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
/** In pages of 4 KiB: the journal stays at about a megabyte, which small disks have too. */
const JOURNAL_PAGES = 256;
/** So much is written between two syncs: the log, on the same disk, waits for no more than that. */
const SYNC_BYTES = 512 * 1024;

interface OpenStore {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
  readonly remove: StatementSync;
  readonly removeBefore: StatementSync;
  readonly select: StatementSync;
  readonly find: StatementSync;
}

type SqliteError = Error & { errcode?: number; code?: string };

const file = workerData as string;
let opened: OpenStore | undefined;

/** A transaction that is being made. */
interface Transaction {
  readonly of: number;
  /** Files that go when it is on the disk. */
  readonly removals: string[];
  failed: boolean;
}

let current: Transaction | undefined;
/** Changes of those that have begun meanwhile: few, as only a checkpoint has many. */
const later = new Map<number, StateChange[]>();
/** Which of these are complete, in this order. */
const due: { readonly id: number; readonly of: number }[] = [];
/** Files to be removed after a transaction that is on the disk. */
const unwanted = new Set<string>();

parentPort?.on("message", (request: NumberedRequest) => {
  const { id } = request;
  if (request.kind === "commit" && current !== undefined && current.of !== request.of) {
    due.push({ id, of: request.of });
    return;
  }
  answer(id, request);
  if (current !== undefined) return;
  for (const { id: dueId, of } of due.splice(0)) answer(dueId, { kind: "commit", of });
});

function answer(id: number, request: StateRequest): void {
  parentPort?.postMessage({ id, ...answerTo(request) } satisfies StateAnswer);
}

function answerTo(request: StateRequest): Omit<StateAnswer, "id"> {
  try {
    return { value: handle(request) };
  } catch (error) {
    return { error: request.kind === "open" ? reasonOf(error as SqliteError) : messageOf(error) };
  }
}

function handle(request: StateRequest): unknown {
  if (request.kind === "open") {
    mkdirSync(dirname(file), { recursive: true });
    opened = openStore();
    return undefined;
  }
  if (request.kind === "close") {
    opened?.database.close();
    opened = undefined;
    return undefined;
  }
  if (opened === undefined) throw new Error(`${file} is not open`);
  if (request.kind === "items") return itemsOf(opened, request.of, request.keys);
  if (request.kind === "read") return readBeside(request.file);
  if (request.kind === "part") addPart(opened, request.of, request.changes);
  else if (request.kind === "commit") commit(opened, request.of);
  else abandon(opened, request.of);
  return undefined;
}

/** Changes are made as they come: those of a checkpoint would take half a gigabyte together. */
function addPart(store: OpenStore, of: number, changes: readonly StateChange[]): void {
  if (current !== undefined && current.of !== of) {
    const before = later.get(of);
    if (before) before.push(...changes);
    else later.set(of, [...changes]);
    return;
  }
  make(store, current ?? begin(store, of), changes);
}

function begin(store: OpenStore, of: number): Transaction {
  // One whose rollback has failed, as on a disk with errors.
  rollBack(store.database);
  store.database.exec("BEGIN IMMEDIATE");
  const transaction = { of, removals: [], failed: false };
  current = transaction;
  const before = later.get(of);
  later.delete(of);
  if (before) make(store, transaction, before);
  return transaction;
}

function make(store: OpenStore, transaction: Transaction, changes: readonly StateChange[]): void {
  // SQLite rolls back by itself when the disk is full; what came then would be kept alone.
  if (transaction.failed) throw new Error("the transaction has failed");
  transaction.failed = true;
  for (const change of changes) {
    const { verb } = change;
    if (verb === "write") {
      unwanted.delete(change.file);
      writeBeside(change.file, change.offset, change.bytes);
    } else if (verb === "remove") transaction.removals.push(change.file);
    else if (verb === "put") store.insert.run(change.kind, change.key, change.body);
    else if (verb === "delete") store.remove.run(change.kind, change.key);
    else store.removeBefore.run(change.kind, change.key);
  }
  transaction.failed = false;
}

function commit(store: OpenStore, of: number): void {
  try {
    const { removals, failed } = current ?? begin(store, of);
    if (failed) throw new Error("the transaction has failed");
    store.database.exec("COMMIT");
    current = undefined;
    for (const name of removals) unwanted.add(name);
  } catch (error) {
    abandon(store, of);
    throw error;
  }
  removeUnwanted();
}

/** The transaction is stored all the same: what cannot be removed is tried again after the next. */
function removeUnwanted(): void {
  for (const name of unwanted) {
    try {
      rmSync(beside(name), { force: true });
      unwanted.delete(name);
    } catch {
      // Nothing is read of it, it only takes room.
    }
  }
}

function abandon({ database }: OpenStore, of: number): void {
  later.delete(of);
  if (current?.of !== of) return;
  current = undefined;
  rollBack(database);
  // The next one then finds the room that the journal has taken.
  emptyJournal(database);
}

/** Ends a transaction if there is one, of which SQLite tells from Node 22.16 on only. */
function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // None is open; or the next one tries again, and fails if this is still so.
  }
}

function itemsOf({ select, find }: OpenStore, kind: string, keys?: readonly string[]): unknown[] {
  if (keys === undefined) return select.all(kind);
  return keys.map((key) => find.get(kind, key)).filter((item) => item !== undefined);
}

function emptyJournal(database: DatabaseSync): void {
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Even that takes room; the error that led here says it all.
  }
}

function beside(name: string): string {
  return join(dirname(file), name);
}

function readBeside(name: string): Uint8Array {
  try {
    return readFileSync(beside(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Uint8Array(0);
    throw error;
  }
}

function writeBeside(name: string, offset: number, bytes: Uint8Array): void {
  const descriptor = openForWriting(beside(name));
  try {
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(at + SYNC_BYTES, bytes.length);
      while (at < end) at += writeSync(descriptor, bytes, at, end - at, offset + at);
      fdatasyncSync(descriptor);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file without losing what is in it, and creates it if need be. */
function openForWriting(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const descriptor = openSync(path, "w");
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
  return descriptor;
}

function openStore(): OpenStore {
  const database = openDatabase();
  return {
    database,
    insert: database.prepare(
      "INSERT INTO item (kind, key, body) VALUES (?, ?, ?) " +
        "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
    ),
    remove: database.prepare("DELETE FROM item WHERE kind = ? AND key = ?"),
    removeBefore: database.prepare("DELETE FROM item WHERE kind = ? AND key < ?"),
    select: database.prepare("SELECT key, body FROM item WHERE kind = ? ORDER BY key"),
    find: database.prepare("SELECT key, body FROM item WHERE kind = ? AND key = ?"),
  };
}

function openDatabase(): DatabaseSync {
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
