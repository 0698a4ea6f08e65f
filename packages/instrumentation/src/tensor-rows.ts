/**
 * A tensor seen as rows and columns: the first dimension counts rows, the others are flattened into
 * columns. Reads only what lies in the CPU's memory, and only the rows that are asked for.
 */

/** The part of an `onnxruntime-common` Tensor that is read. */
export interface TensorLike {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<unknown>;
  readonly location?: string;
}

/** A longer category names nothing that one could monitor by. */
const TEXT_LENGTH_MAX = 256;

/** A value of a tensor as a span can carry it; NaN where the tensor has no finite number. */
export type CellValue = number | boolean | string;

/** A tensor's rows and columns. */
export interface TensorRows {
  readonly rows: number;
  readonly columns: number;
  cell(row: number, column: number): CellValue;
}

/** Looks at a value as a tensor; undefined when it is none, or lies in another device's memory. */
export function asTensor(value: unknown): TensorLike | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const tensor = value as Partial<TensorLike>;
  if (!Array.isArray(tensor.dims) || typeof tensor.type !== "string") return undefined;
  return tensor as TensorLike;
}

/** A tensor's shape as the convention writes it, such as `32x4`; a scalar is `scalar`. */
export function shapeOf({ dims }: TensorLike): string {
  if (dims.length === 0) return "scalar";
  // Of two numbers this is four times as fast as a join.
  let shape = String(dims[0]);
  for (let index = 1; index < dims.length; index++) shape += `x${dims[index]}`;
  return shape;
}

/** Rows and columns; undefined when the values cannot be read without moving them. */
export function rowsOf(tensor: TensorLike): TensorRows | undefined {
  const { location = "cpu", dims, type } = tensor;
  if (location !== "cpu" && location !== "cpu-pinned") return undefined;
  const { data } = tensor;
  const rows = dims.length === 0 ? 1 : (dims[0] as number);
  const columns = rows === 0 ? 0 : data.length / rows;
  if (!Number.isInteger(columns)) return undefined;
  const read = READERS.get(type);
  if (read === undefined) return undefined;
  return { rows, columns, cell: (row, column) => read(data, row * columns + column) };
}

/** The same values as one row, for a tensor that has no dimension for the batch. */
export function asOneRow({ rows, columns, cell }: TensorRows): TensorRows {
  const width = rows * columns;
  const at = (column: number) => cell(Math.floor(column / columns), column % columns);
  return { rows: 1, columns: width, cell: (_row, column) => at(column) };
}

type Reader = (data: ArrayLike<unknown>, index: number) => CellValue;

const readNumber: Reader = (data, index) => finite(data[index] as number);
const readInteger: Reader = (data, index) => Number(data[index]);

/** By the tensor's type; others are not read. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>(
  Object.entries({
    string: (data, index) => String(data[index]).slice(0, TEXT_LENGTH_MAX),
    bool: (data, index) => data[index] === 1 || data[index] === true,
    int64: readInteger,
    uint64: readInteger,
    // Bits, unless the runtime has Float16Array.
    float16: (data, index) =>
      data instanceof Uint16Array
        ? finite(halfToNumber(data[index] as number))
        : readNumber(data, index),
    float32: readNumber,
    float64: readNumber,
    int8: readNumber,
    int16: readNumber,
    int32: readNumber,
    uint8: readNumber,
    uint16: readNumber,
    uint32: readNumber,
  }),
);

/** Infinities count as missing, as NaN does: OTLP's JSON has no number for any of them. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

/** IEEE 754 binary16, for runtimes without Float16Array. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Which rows of a batch are recorded, ascending: all of them up to `max`, else a uniform sample
 * without replacement. R. W. Floyd's algorithm (Bentley and Floyd, "A sample of brilliance", CACM
 * 1987): `max` random numbers however large the batch is.
 */
export function sampleRows(rows: number, max: number, random = Math.random): number[] {
  if (rows <= max) {
    const all: number[] = [];
    for (let row = 0; row < rows; row++) all.push(row);
    return all;
  }
  const chosen = new Set<number>();
  for (let last = rows - max; last < rows; last++) {
    const row = Math.floor(random() * (last + 1));
    chosen.add(chosen.has(row) ? last : row);
  }
  return [...chosen].toSorted((a, b) => a - b);
}
