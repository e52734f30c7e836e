/** IEEE 754 half precision, which neither every supported Node nor a DataView can read. Round to nearest, ties to even. */
const scratch = new DataView(new ArrayBuffer(4));

export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export function numberToFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  // 65520 is half way between the largest half (65504) and the next power; ties go to even, which is infinity.
  if (magnitude >= 65520) return sign | 0x7c00;
  // In units of the last place the value is a whole number after rounding, also across a carry into the exponent.
  if (magnitude < 2 ** -14) return sign | roundTiesToEven(magnitude * 2 ** 24);
  const exponent = exponentOf(magnitude);
  const mantissa = roundTiesToEven((magnitude / 2 ** exponent) * 1024);
  return sign | (((exponent + 15) << 10) + (mantissa - 1024));
}

function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Floor of the base-2 logarithm, read from the bits: Math.log2 may differ between engines. */
function exponentOf(magnitude: number): number {
  scratch.setFloat32(0, magnitude);
  // Rounding to single precision may reach the next power of two, one too high; that is then put right.
  const exponent = ((scratch.getUint32(0) >> 23) & 0xff) - 127;
  return 2 ** exponent > magnitude ? exponent - 1 : exponent;
}
