/**
 * The order of a merged list: items of the patch come in its order, others in that of the live list, woven together as
 * the live list had them. Pure.
 */
import { deepEqual, isObject } from "../json-value.ts";
import { unspecified } from "../status.ts";

export const idOf = (item: unknown, key: string | undefined): unknown =>
  key !== undefined && isObject(item) ? item[key] : item;

export interface OrderBy {
  readonly order: readonly unknown[];
  readonly before: readonly unknown[];
  readonly key: string | undefined;
}

export function orderItems(merged: readonly unknown[], { order, before, key }: OrderBy): unknown[] {
  const indexIn = (list: readonly unknown[], item: unknown) => {
    const id = idOf(item, key);
    return list.findIndex((other) => deepEqual(idOf(other, key), id));
  };
  const sortBy = (list: readonly unknown[]) => (a: unknown, b: unknown) => indexIn(list, a) - indexIn(list, b);
  const patched = merged.filter((item) => indexIn(order, item) >= 0).sort(sortBy(order));
  const others = merged.filter((item) => indexIn(order, item) < 0).sort(sortBy(before));
  const result: unknown[] = [];
  while (patched.length > 0 || others.length > 0) {
    const mine = others.length === 0 ? -1 : indexIn(before, others[0]);
    const theirs = patched.length === 0 ? -1 : indexIn(before, patched[0]);
    const takeOther = patched.length === 0 || (others.length > 0 && mine >= 0 && theirs >= 0 && mine < theirs);
    result.push(takeOther ? others.shift() : patched.shift());
  }
  return result;
}

/** What a patch lists must come in the order that it gives, and be named there. */
export function checkOrder(items: readonly unknown[], order: readonly unknown[], key: string | undefined): void {
  if (items.length === 0 || order.length === 0) return;
  const kept = items.filter((item) => !(isObject(item) && Object.hasOwn(item, "$patch")));
  let index = 0;
  for (const wanted of order)
    if (index < kept.length && deepEqual(idOf(kept[index], key), idOf(wanted, key))) index += 1;
  if (index === kept.length) return;
  throw unspecified(
    `The order in patch list:\n${JSON.stringify(items)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
  );
}
