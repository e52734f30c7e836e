/** Whole numbers out of labels and capacities. Pure. */

/** Below ten million: a greater count, such as 18446744073709551615, is not a number of anything. */
export function parseWhole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,7}$/.test(text) ? Number(text) : undefined;
}
