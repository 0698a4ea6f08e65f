/**
 * TensorFlow.js tensors, seen as the tensors that the recorder reads. Values are read only where
 * the backend of the CPU keeps them in memory: elsewhere a read would wait for a device.
 */
import type { TensorLike } from "../tensor-rows.js";

/** The part of a `tf.Tensor` that is read. */
interface TensorflowTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly dataId: object;
}

/** The types of TensorFlow by the names that the recorder knows; complex numbers are not read. */
const TYPES: Readonly<Record<string, string>> = {
  float32: "float32",
  int32: "int32",
  bool: "bool",
  string: "string",
};

/** Tensors by their names: of a tensor, an array of them, or an object. */
export function tensorMap(value: unknown, names: readonly string[]): [string, TensorLike][] {
  const entries = isTensor(value)
    ? [[names[0] ?? "tensor_0", value] as const]
    : Array.isArray(value)
      ? value.map((member: unknown, index) => [names[index] ?? `tensor_${index}`, member] as const)
      : Object.entries(value ?? {});
  return entries.flatMap(([name, tensor]): [string, TensorLike][] =>
    isTensor(tensor) ? [[name.replace(/:0$/, ""), seen(tensor)]] : [],
  );
}

function isTensor(value: unknown): value is TensorflowTensor {
  if (typeof value !== "object" || value === null) return false;
  const { shape, dtype, dataId } = value as Partial<TensorflowTensor>;
  return Array.isArray(shape) && typeof dtype === "string" && typeof dataId === "object";
}

function seen(tensor: TensorflowTensor): TensorLike {
  const values = valuesInMemory(tensor);
  return {
    type: TYPES[tensor.dtype] ?? tensor.dtype,
    dims: tensor.shape,
    data: values ?? [],
    location: values === undefined ? "elsewhere" : "cpu",
  };
}

/** What the global engine's backend keeps of a tensor, if it is a backend that keeps values. */
function valuesInMemory({ dataId }: TensorflowTensor): ArrayLike<unknown> | undefined {
  const { _tfengine: engine } = globalThis as {
    _tfengine?: {
      state?: { tensorInfo?: WeakMap<object, { backend?: Backend }> };
    };
  };
  const backend = engine?.state?.tensorInfo?.get(dataId)?.backend;
  const values = backend?.data?.get?.(dataId)?.values;
  return values instanceof Float32Array ||
    values instanceof Int32Array ||
    values instanceof Uint8Array
    ? values
    : undefined;
}

interface Backend {
  readonly data?: { get?: (dataId: object) => { values?: unknown } | undefined };
}
