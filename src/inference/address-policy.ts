/**
 * Which IP addresses may be fetched from. URIs are written by tenants and names resolve to what their owners say, so it is the
 * address at the moment of connecting that counts: nothing on this machine, on its link, or of a cloud's metadata service,
 * unless a setting allows it. Private networks are allowed, for that is where a cluster's own stores are; NetworkPolicies
 * narrow them. Pure.
 */
import { BlockList, isIP, isIPv4 } from "node:net";

/** Why an address is not fetched from; undefined where it may be. */
export type AddressCheck = (address: string) => string | undefined;

const refused: Readonly<Record<string, readonly string[]>> = {
  "this machine": ["0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"],
  "the local link, where metadata services are": ["169.254.0.0/16", "fe80::/10"],
  // Of Alibaba, Azure, Oracle, AWS, Google and Scaleway, outside the local link.
  "a cloud's metadata service": [
    ...["100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"],
    ...["fd00:ec2::254/128", "fd20:ce::254/128", "fd00:42::42/128"],
  ],
  "no single host": ["224.0.0.0/4", "240.0.0.0/4", "ff00::/8"],
};

const kinds = Object.entries(refused).map(([what, ranges]) => ({ what, list: buildList(ranges) }));

/** @param allowed addresses and ranges (base/address-range.ts) that are read all the same */
export function createAddressCheck(allowed: readonly string[] = []): AddressCheck {
  const exceptions = buildList(allowed);
  return (address) => {
    // A zone such as %eth0 names an interface, not another address.
    const bare = unwrap(address.split("%")[0] ?? "");
    if (isIP(bare) === 0) return "no IP address";
    if (contains(exceptions, bare)) return undefined;
    return kinds.find(({ list }) => contains(list, bare))?.what;
  };
}

function buildList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    list.addSubnet(address, bits === undefined ? (family === "ipv4" ? 32 : 128) : Number(bits), family);
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}

/** IPv4 within IPv6 (mapped, compatible, NAT64, 6to4) reaches the IPv4 host. */
function unwrap(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = expand(address);
  const [first = 0, second = 0] = groups;
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const isNat64 = first === 0x64 && second === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  const isCompatible = groups.slice(0, 6).every((group) => group === 0) && (groups[6] !== 0 || (groups[7] ?? 0) > 1);
  if (isMapped || isNat64 || isCompatible) return toIPv4(groups[6], groups[7]);
  return first === 0x2002 ? toIPv4(groups[1], groups[2]) : address;
}

function expand(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [, head = "", ...bytes] = dotted ?? [];
  const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number);
  const text = dotted ? `${head}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}` : address;
  const [left = "", right] = text.split("::");
  const parse = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  if (right === undefined) return parse(left);
  const [before, after] = [parse(left), parse(right)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function toIPv4(high = 0, low = 0): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
