/** Numbers out of values such as "19968 MiB" or "67.03 W". Pure. */

// Enough digits for any true value; longer ones, such as 18446744073709551615, are a counter that underflowed.
const pattern = /^(\d{1,12}(?:\.\d{1,6})?)(?: ?([A-Za-z%]+))?$/;

/** The number in that unit; undefined where the text is absent, is no number, or is in another unit. */
export function parseQuantity(text: string | undefined, unit: string): number | undefined {
  const [, digits, suffix] = pattern.exec(text ?? "") ?? [];
  return digits === undefined || suffix !== unit ? undefined : Number(digits);
}

/** A bare whole number, such as a count. */
export function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

const mebibytesPer: Readonly<Record<string, number>> = { KiB: 1 / 1024, MiB: 1, GiB: 1024, MB: 1, GB: 1024 };

/** Whole mebibytes. Drivers before 300 wrote MB and meant MiB. */
export function parseMemoryMiB(text: string | undefined): number | undefined {
  const [, digits, unit] = pattern.exec(text ?? "") ?? [];
  const factor = unit !== undefined && Object.hasOwn(mebibytesPer, unit) ? mebibytesPer[unit] : undefined;
  return digits === undefined || factor === undefined ? undefined : Math.floor(Number(digits) * factor);
}
