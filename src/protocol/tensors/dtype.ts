/**
 * Element types that inference can carry, under the names that ONNX tools use. One table ties each to its width and to
 * its safetensors code, so that every encoding of a tensor agrees on them.
 */
import { InferiumError } from "../../base/errors.ts";

export type DType =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "float32"
  | "float64";

interface DTypeFacts {
  readonly byteWidth: number;
  readonly kind: "bool" | "integer" | "float";
  readonly safetensors: string;
}

const facts: Readonly<Record<DType, DTypeFacts>> = {
  bool: { byteWidth: 1, kind: "bool", safetensors: "BOOL" },
  int8: { byteWidth: 1, kind: "integer", safetensors: "I8" },
  uint8: { byteWidth: 1, kind: "integer", safetensors: "U8" },
  int16: { byteWidth: 2, kind: "integer", safetensors: "I16" },
  uint16: { byteWidth: 2, kind: "integer", safetensors: "U16" },
  int32: { byteWidth: 4, kind: "integer", safetensors: "I32" },
  uint32: { byteWidth: 4, kind: "integer", safetensors: "U32" },
  int64: { byteWidth: 8, kind: "integer", safetensors: "I64" },
  uint64: { byteWidth: 8, kind: "integer", safetensors: "U64" },
  float16: { byteWidth: 2, kind: "float", safetensors: "F16" },
  float32: { byteWidth: 4, kind: "float", safetensors: "F32" },
  float64: { byteWidth: 8, kind: "float", safetensors: "F64" },
};

export const dtypes = Object.keys(facts) as readonly DType[];

const known: ReadonlySet<unknown> = new Set(dtypes);

export function isDType(value: unknown): value is DType {
  return known.has(value);
}

/** @throws InferiumError UnknownDType */
export function parseDType(value: unknown, where: string): DType {
  if (isDType(value)) return value;
  const got = typeof value === "string" ? `"${value.slice(0, 40)}"` : typeof value;
  throw new InferiumError("UnknownDType", `${where} has dtype ${got}; expected one of ${dtypes.join(", ")}.`);
}

export function byteWidthOf(dtype: DType): number {
  return facts[dtype].byteWidth;
}

export function isFloat(dtype: DType): boolean {
  return facts[dtype].kind === "float";
}

export function safetensorsCodeOf(dtype: DType): string {
  return facts[dtype].safetensors;
}

/** @throws InferiumError UnknownDType */
export function dtypeOfSafetensorsCode(code: unknown, where: string): DType {
  const found = dtypes.find((dtype) => facts[dtype].safetensors === code);
  if (found !== undefined) return found;
  const known = dtypes.map(safetensorsCodeOf).join(", ");
  const got = typeof code === "string" ? `"${code.slice(0, 40)}"` : typeof code;
  throw new InferiumError("UnknownDType", `${where} has safetensors dtype ${got}; expected one of ${known}.`);
}
