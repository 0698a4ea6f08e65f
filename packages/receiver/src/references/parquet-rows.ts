/** Parquet, read column by column: memory holds one column of one row group. */
import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Batch, Cell, DataFile, Progress } from "./data-file.js";
import { TrainingDataError } from "./data-file.js";

/** @throws TrainingDataError when the file is damaged */
export async function parquetBatches(
  file: string,
  progress: Progress,
  wanted?: readonly string[],
): Promise<DataFile> {
  const buffer = await asyncBufferFromFile(file);
  const metadata = await understood(file, () => parquetMetadataAsync(buffer));
  progress.total += Number(metadata.num_rows);
  const batches = readGroups({ file, buffer, metadata, progress }, wanted);
  return { typed: true, batches };
}

interface OpenParquet {
  readonly file: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly progress: Progress;
}

async function* readGroups(
  open: OpenParquet,
  wanted: readonly string[] | undefined,
): AsyncGenerator<Batch> {
  const { file, metadata, progress } = open;
  const header = parquetSchema(metadata).children.map(({ element }) => element.name);
  yield { header, rows: 0, columns: new Map(), place: () => file };
  const columns = wanted ? header.filter((name) => wanted.includes(name)) : header;
  let start = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    for (const column of columns) {
      yield* readColumn(open, column, start, start + rows);
      progress.done += rows / columns.length;
    }
    yield { rows, columns: new Map(), place: () => file };
    start += rows;
  }
}

async function* readColumn(
  { file, buffer, metadata }: OpenParquet,
  column: string,
  rowStart: number,
  rowEnd: number,
): AsyncGenerator<Batch> {
  const batches: Batch[] = [];
  await understood(`${file}: column "${column}"`, () =>
    parquetRead({
      file: buffer,
      metadata,
      columns: [column],
      rowStart,
      rowEnd,
      compressors,
      onChunk: ({ columnData, rowStart: from }) => {
        const columns = new Map([[column, columnData as ArrayLike<Cell>]]);
        batches.push({ rows: 0, columns, place: (row) => `${file}: row ${from + row + 1}` });
      },
    }),
  );
  yield* batches;
}

/** Whatever the library throws on content means that the file is damaged, or beyond it. */
async function understood<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) throw error;
    throw new TrainingDataError(`${what}: is no Parquet that can be read: ${String(error)}`);
  }
}
