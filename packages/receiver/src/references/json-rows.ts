/** JSON lines: one object a line. Members of objects inside are columns such as `features.wind`. */
import { StringDecoder } from "node:string_decoder";
import type { Batch, Cell, DataFile, TextSource } from "./data-file.js";
import { readable, TrainingDataError } from "./data-file.js";

/** Rows that are handed on at once. */
const BATCH_ROWS = 4096;
/** UTF-16 units; a longer line is hardly one row. */
const LINE_LENGTH_MAX = 16 * 1024 * 1024;
const DEPTH_MAX = 8;
/** All columns together; each costs its cells of one batch. */
const COLUMNS_MAX = 10_000;

/** @throws TrainingDataError when the file is one JSON array */
export function jsonBatches(source: TextSource): DataFile {
  if (source.head.trimStart().startsWith("[")) {
    throw new TrainingDataError(
      `${source.file}: is a JSON array; write one object a line, for example with jq -c '.[]'`,
    );
  }
  return { typed: true, batches: readRows(source) };
}

async function* readRows({ file, stream }: TextSource): AsyncGenerator<Batch> {
  let batch = new Rows(file);
  let line = 0;
  try {
    for await (const lines of linesOf(file, stream)) {
      for (const text of lines) {
        line++;
        if (text.trim() === "") continue;
        batch.add(parseLine(file, line, text), line);
        if (batch.rows < BATCH_ROWS) continue;
        yield batch;
        batch = new Rows(file);
      }
    }
  } catch (error) {
    throw readable(file, error);
  }
  yield batch;
}

async function* linesOf(file: string, stream: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let isFirst = true;
  for await (const chunk of stream) {
    let text = rest + decoder.write(chunk);
    if (isFirst) text = text.replace(/^\uFEFF/, "");
    isFirst = false;
    const lines = text.split("\n");
    rest = lines.pop() as string;
    if (rest.length > LINE_LENGTH_MAX) {
      throw new TrainingDataError(`${file}: has a line of more than 16 Mi characters`);
    }
    yield lines;
  }
  yield [rest + decoder.end()];
}

function parseLine(file: string, line: number, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Python writes these words, which are no JSON; they stand for values that are missing.
    const mended = text.replaceAll(/(?<=[:,[]\s*)(?:NaN|-?Infinity)(?=\s*[,}\]])/g, "null");
    try {
      value = JSON.parse(mended);
    } catch {
      throw new TrainingDataError(`${file}:${line}: is no JSON: ${(error as Error).message}`);
    }
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new TrainingDataError(`${file}:${line}: is no JSON object; write one object a line`);
}

/** A batch that is filled row by row. */
class Rows implements Batch {
  rows = 0;
  readonly columns = new Map<string, Cell[]>();
  private readonly file: string;
  private readonly lines: number[] = [];

  constructor(file: string) {
    this.file = file;
  }

  readonly place = (row: number) => `${this.file}:${this.lines[row]}`;

  add(row: object, line: number): void {
    this.lines.push(line);
    this.addMembers(row, "", 1);
    this.rows++;
  }

  private addMembers(members: object, prefix: string, depth: number): void {
    for (const [key, value] of Object.entries(members) as [string, Cell][]) {
      const name = prefix + key;
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      if (isObject && depth < DEPTH_MAX) this.addMembers(value, `${name}.`, depth + 1);
      else this.column(name)[this.rows] = value;
    }
  }

  private column(name: string): Cell[] {
    let cells = this.columns.get(name);
    if (cells !== undefined) return cells;
    if (this.columns.size === COLUMNS_MAX) {
      throw new TrainingDataError(
        `${this.place(this.rows)}: more than ${COLUMNS_MAX} different keys; ` +
          "name the columns of the reference with --columns, and write only these",
      );
    }
    cells = [];
    this.columns.set(name, cells);
    return cells;
  }
}
