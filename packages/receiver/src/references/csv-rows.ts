/** CSV (RFC 4180) with a header; the delimiter is the one that the header has most of. */
import { CsvError, parse } from "csv-parse";
import type { Batch, Cell, DataFile, TextSource } from "./data-file.js";
import { readable, TrainingDataError } from "./data-file.js";

/** Rows that are handed on at once. */
const BATCH_ROWS = 4096;
/** A longer row is most likely a quote that is never closed. */
const ROW_LENGTH_MAX = 16 * 1024 * 1024;
const DELIMITERS = [",", ";", "\t", "|"];

/** @throws TrainingDataError when the file has no header that names its columns */
export function csvBatches(source: TextSource): DataFile {
  const { file, head } = source;
  const [firstLine = ""] = head.split(/\r?\n/, 1);
  const delimiter = DELIMITERS.toSorted(
    (a, b) => firstLine.split(b).length - firstLine.split(a).length,
  )[0] as string;
  return { typed: false, batches: readRows(source, file, delimiter) };
}

async function* readRows(
  { stream }: TextSource,
  file: string,
  delimiter: string,
): AsyncGenerator<Batch> {
  const lines: number[] = [];
  const parser = parse({
    bom: true,
    skip_empty_lines: true,
    trim: true,
    delimiter,
    max_record_size: ROW_LENGTH_MAX,
    // Where a row ends; blank lines and quoted line breaks make it differ from the row's number.
    on_record: (record: string[], { lines: line }) => {
      lines.push(line);
      return record;
    },
  });
  stream.on("error", (error) => parser.destroy(error));
  let header: string[] | undefined;
  let rows: string[][] = [];
  try {
    for await (const record of stream.pipe(parser) as AsyncIterable<string[]>) {
      if (header === undefined) {
        checkHeader(file, record);
        header = record;
        lines.shift();
        yield { header, rows: 0, columns: new Map(), place: () => file };
      } else if (rows.push(record) === BATCH_ROWS) {
        yield batchOf(file, header, rows, lines.splice(0, BATCH_ROWS));
        rows = [];
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw readable(file, error);
    throw new TrainingDataError(`${file}: is no well-formed CSV: ${error.message}`);
  }
  if (header) yield batchOf(file, header, rows, lines);
}

function batchOf(file: string, header: string[], rows: string[][], lines: number[]): Batch {
  const columns = new Map<string, readonly Cell[]>();
  for (const [index, name] of header.entries()) {
    if (name !== "")
      columns.set(
        name,
        rows.map((row) => row[index]),
      );
  }
  return { rows: rows.length, columns, place: (row) => `${file}:${lines[row]}` };
}

function checkHeader(file: string, header: readonly string[]): void {
  const twice = header.find((name, index) => name !== "" && header.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new TrainingDataError(`${file}:1: two columns are called "${twice}"; rename one of them`);
  }
  if (header.every((name) => name !== "" && Number.isFinite(Number(name)))) {
    throw new TrainingDataError(
      `${file}:1: the first row holds only numbers (${header.slice(0, 5).join(", ")}); ` +
        "put a row with the columns' names above it",
    );
  }
}
