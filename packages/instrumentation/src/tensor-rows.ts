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
  return dims.length === 0 ? "scalar" : dims.join("x");
}

/** Rows and columns; undefined when the values cannot be read without moving them. */
export function rowsOf(tensor: TensorLike): TensorRows | undefined {
  const { location = "cpu", dims, type } = tensor;
  if (location !== "cpu" && location !== "cpu-pinned") return undefined;
  const { data } = tensor;
  const rows = dims.length === 0 ? 1 : (dims[0] as number);
  const columns = rows === 0 ? 0 : data.length / rows;
  if (!Number.isInteger(columns)) return undefined;
  const read = readerOf(type, data);
  return read && { rows, columns, cell: (row, column) => read(row * columns + column) };
}

/** The same values as one row, for a tensor that has no dimension for the batch. */
export function asOneRow({ rows, columns, cell }: TensorRows): TensorRows {
  const width = rows * columns;
  const at = (column: number) => cell(Math.floor(column / columns), column % columns);
  return { rows: 1, columns: width, cell: (_row, column) => at(column) };
}

function readerOf(type: string, data: ArrayLike<unknown>) {
  if (type === "string") return (index: number) => String(data[index]).slice(0, TEXT_LENGTH_MAX);
  if (type === "bool") return (index: number) => data[index] === 1 || data[index] === true;
  if (type === "int64" || type === "uint64") return (index: number) => Number(data[index]);
  if (type === "float16" && data instanceof Uint16Array) {
    return (index: number) => finite(halfToNumber(data[index] as number));
  }
  if (/^(?:float(?:16|32|64)|u?int(?:8|16|32))$/.test(type)) {
    return (index: number) => finite(data[index] as number);
  }
  return undefined;
}

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
  if (rows <= max) return Array.from({ length: rows }, (_, row) => row);
  const chosen = new Set<number>();
  for (let last = rows - max; last < rows; last++) {
    const row = Math.floor(random() * (last + 1));
    chosen.add(chosen.has(row) ? last : row);
  }
  return [...chosen].toSorted((a, b) => a - b);
}
