/** Blocks of addresses: `10.0.0.0/8`, `2001:db8::/32`. Pure. */
import { isIP } from "node:net";

/** The bits of an address and the length of its prefix; undefined for text that is no block. */
export function parseCidr(text: string): { readonly bits: string; readonly prefix: number } | undefined {
  const [address = "", length = "", ...more] = text.split("/");
  const family = isIP(address);
  const prefix = Number(length);
  if (family === 0 || more.length > 0 || !/^\d{1,3}$/.test(length) || prefix > (family === 4 ? 32 : 128))
    return undefined;
  return { bits: family === 4 ? ipv4Bits(address) : ipv6Bits(address), prefix };
}

export function checkCidr(text: string): string | undefined {
  if (parseCidr(text) !== undefined) return undefined;
  return "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";
}

/** Whether `inner` lies within `outer` and is smaller. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const [a, b] = [parseCidr(inner), parseCidr(outer)];
  if (a === undefined || b === undefined || a.bits.length !== b.bits.length) return false;
  return a.prefix > b.prefix && a.bits.slice(0, b.prefix) === b.bits.slice(0, b.prefix);
}

const binary = (value: number, width: number) => value.toString(2).padStart(width, "0");
const ipv4Bits = (text: string) =>
  text
    .split(".")
    .map((part) => binary(Number(part), 8))
    .join("");

function ipv6Bits(text: string): string {
  const embedded = /:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  const plain = embedded === undefined ? text : `${text.slice(0, -embedded.length)}0:0`;
  const [head = "", tail] = plain.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const [front, back] = [groups(head), groups(tail ?? "")];
  const middle = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => "0");
  return [...front, ...middle, ...back].map((group) => binary(Number.parseInt(group, 16), 16)).join("");
}
