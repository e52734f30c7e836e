/** ONNX's numbers of element types, with their names as the API writes them. Pure. */

const names = {
  1: "float32",
  2: "uint8",
  3: "int8",
  4: "uint16",
  5: "int16",
  6: "int32",
  7: "int64",
  8: "string",
  9: "bool",
  10: "float16",
  11: "float64",
  12: "uint32",
  13: "uint64",
  14: "complex64",
  15: "complex128",
  16: "bfloat16",
  17: "float8e4m3fn",
  18: "float8e4m3fnuz",
  19: "float8e5m2",
  20: "float8e5m2fnuz",
  21: "uint4",
  22: "int4",
  23: "float4e2m1",
} as const;
type ElementTypeName = (typeof names)[keyof typeof names];
const byName = new Map<string, number>(Object.entries(names).map(([number, name]) => [name, Number(number)]));

const integers: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 9, 12, 13, 21, 22]);

/** Those that hold two values a byte. */
const halfBytes: ReadonlySet<number> = new Set([21, 22, 23]);

export function nameElementType(number: number): string {
  return (names as Readonly<Record<number, string>>)[number] ?? `type${number}`;
}

export function numberElementType(name: ElementTypeName): number {
  return byName.get(name) ?? 0;
}

/** Also bool: whatever has one value for each meaning. */
export function isIntegerType(number: number): boolean {
  return integers.has(number);
}

/** How many elements a constant's raw bytes can hold at most. */
export function elementsPerByte(number: number): number {
  return halfBytes.has(number) ? 2 : 1;
}
