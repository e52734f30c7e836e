/** Element types under the names of the Open Inference Protocol v2, which has two more: BYTES and BF16 are refused by name. */
import { InferiumError } from "../../base/errors.ts";
import type { DType } from "../tensors/dtype.ts";

const byDatatype: ReadonlyMap<unknown, DType> = new Map([
  ["BOOL", "bool"],
  ["UINT8", "uint8"],
  ["UINT16", "uint16"],
  ["UINT32", "uint32"],
  ["UINT64", "uint64"],
  ["INT8", "int8"],
  ["INT16", "int16"],
  ["INT32", "int32"],
  ["INT64", "int64"],
  ["FP16", "float16"],
  ["FP32", "float32"],
  ["FP64", "float64"],
]);
const byDType = new Map([...byDatatype].map(([datatype, dtype]) => [dtype, String(datatype)]));

/** @throws InferiumError UnknownDType */
export function dtypeOfDatatype(datatype: unknown, where: string): DType {
  const dtype = byDatatype.get(datatype);
  if (dtype !== undefined) return dtype;
  const got = typeof datatype === "string" ? `"${datatype.slice(0, 40)}"` : typeof datatype;
  const known = [...byDatatype.keys()].join(", ");
  throw new InferiumError("UnknownDType", `${where} has datatype ${got}; supported are ${known}.`);
}

export function datatypeOf(dtype: DType): string {
  return byDType.get(dtype) ?? dtype;
}
