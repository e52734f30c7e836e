/** The Kubernetes IP and CIDR libraries. Registered by `environment.ts`. */
import { BlockList, isIP } from "node:net";
import type { Environment } from "@marcbachmann/cel-js";

class Ip {
  readonly text: string;
  readonly family: 4 | 6;

  constructor(text: string, family: 4 | 6) {
    this.text = family === 6 ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
    this.family = family;
  }

  /** Zones and IPv4 addresses written as IPv6 are no addresses here, as in Kubernetes. */
  static parse(text: string): Ip | undefined {
    const family = isIP(text);
    if (family === 0 || text.includes("%") || /^::ffff:\d+\./i.test(text)) return undefined;
    return new Ip(text, family === 4 ? 4 : 6);
  }

  compare(other: Ip): number {
    return this.text.localeCompare(other.text);
  }

  toString(): string {
    return this.text;
  }
}

class Cidr {
  readonly ip: Ip;
  readonly prefix: number;

  constructor(ip: Ip, prefix: number) {
    this.ip = ip;
    this.prefix = prefix;
  }

  static parse(text: string): Cidr | undefined {
    const [address = "", length = ""] = text.split("/");
    const ip = Ip.parse(address);
    const isLength = /^(0|[1-9]\d{0,2})$/.test(length);
    if (ip === undefined || !isLength || text.split("/").length !== 2) return undefined;
    return Number(length) <= (ip.family === 4 ? 32 : 128) ? new Cidr(ip, Number(length)) : undefined;
  }

  contains(ip: Ip): boolean {
    if (ip.family !== this.ip.family) return false;
    const blocks = new BlockList();
    blocks.addSubnet(this.ip.text, this.prefix, `ipv${this.ip.family}`);
    return blocks.check(ip.text, `ipv${ip.family}`);
  }

  masked(): Cidr {
    const bits = this.ip.family === 4 ? 32n : 128n;
    const host = bits - BigInt(this.prefix);
    const network = (toNumber(this.ip) >> host) << host;
    return new Cidr(fromNumber(network, this.ip.family), this.prefix);
  }

  compare(other: Cidr): number {
    return this.toString().localeCompare(other.toString());
  }

  toString(): string {
    return `${this.ip.text}/${this.prefix}`;
  }
}

function groupsOf(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const read = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [first, last] = [read(head), read(tail ?? "")];
  return tail === undefined ? first : [...first, ...new Array(8 - first.length - last.length).fill(0), ...last];
}

function toNumber(ip: Ip): bigint {
  if (ip.family === 4) return ip.text.split(".").reduce((total, part) => total * 256n + BigInt(part), 0n);
  return groupsOf(ip.text).reduce((total, group) => total * 65536n + BigInt(group), 0n);
}

function fromNumber(value: bigint, family: 4 | 6): Ip {
  const [size, count, base] = family === 4 ? [8n, 4, 10] : [16n, 8, 16];
  const mask = (1n << size) - 1n;
  const parts = Array.from({ length: count }, (_, index) =>
    ((value >> (size * BigInt(count - 1 - index))) & mask).toString(base),
  );
  return new Ip(parts.join(family === 4 ? "." : ":"), family);
}

const within = (range: string) => {
  const parsed = Cidr.parse(range);
  return (ip: Ip) => parsed?.contains(ip) === true;
};
const isIn = (...ranges: string[]) => {
  const checks = ranges.map(within);
  return (ip: Ip) => checks.some((check) => check(ip));
};

function required<T>(value: T | undefined, what: string, text: string): T {
  if (value === undefined)
    throw new Error(`${what} parse error during conversion from string: invalid ${what} ${text}`);
  return value;
}

export function registerAddresses(environment: Environment): void {
  const parse = (text: string) => required(Ip.parse(text), "IP Address", text);
  environment
    .registerType("net.IP", Ip)
    .registerFunction("isIP(string): bool", (text: string) => Ip.parse(text) !== undefined)
    .registerFunction("ip(string): net.IP", parse)
    .registerFunction("string(net.IP): string", (ip: Ip) => ip.text)
    .registerFunction("net.IP.family(): int", (ip: Ip) => BigInt(ip.family))
    .registerFunction("net.IP.isUnspecified(): bool", isIn("0.0.0.0/32", "::/128"))
    .registerFunction("net.IP.isLoopback(): bool", isIn("127.0.0.0/8", "::1/128"))
    .registerFunction("net.IP.isLinkLocalMulticast(): bool", isIn("224.0.0.0/24", "ff02::/16"))
    .registerFunction("net.IP.isLinkLocalUnicast(): bool", isIn("169.254.0.0/16", "fe80::/10"))
    .registerFunction("net.IP.isGlobalUnicast(): bool", (ip: Ip) => !isSpecial(ip))
    .registerOperator("net.IP == net.IP", (a: Ip, b: Ip) => a.text === b.text);
}

const isSpecial = isIn(
  "0.0.0.0/32",
  "::/128",
  "127.0.0.0/8",
  "::1/128",
  "224.0.0.0/4",
  "ff00::/8",
  "169.254.0.0/16",
  "fe80::/10",
  "255.255.255.255/32",
);

export function registerCidrs(environment: Environment): void {
  const parse = (text: string) => required(Cidr.parse(text), "network address", text);
  const holds = (cidr: Cidr, other: Cidr) => other.prefix >= cidr.prefix && cidr.contains(other.ip);
  environment
    .registerType("net.CIDR", Cidr)
    .registerFunction("isCIDR(string): bool", (text: string) => Cidr.parse(text) !== undefined)
    .registerFunction("cidr(string): net.CIDR", parse)
    .registerFunction("string(net.CIDR): string", (cidr: Cidr) => cidr.toString())
    .registerFunction("net.CIDR.ip(): net.IP", (cidr: Cidr) => cidr.ip)
    .registerFunction("net.CIDR.prefixLength(): int", (cidr: Cidr) => BigInt(cidr.prefix))
    .registerFunction("net.CIDR.masked(): net.CIDR", (cidr: Cidr) => cidr.masked())
    .registerFunction("net.CIDR.containsIP(net.IP): bool", (cidr: Cidr, ip: Ip) => cidr.contains(ip))
    .registerFunction("net.CIDR.containsIP(string): bool", (cidr: Cidr, text: string) =>
      cidr.contains(required(Ip.parse(text), "IP Address", text)),
    )
    .registerFunction("net.CIDR.containsCIDR(net.CIDR): bool", holds)
    .registerFunction("net.CIDR.containsCIDR(string): bool", (cidr: Cidr, text: string) => holds(cidr, parse(text)))
    .registerOperator("net.CIDR == net.CIDR", (a: Cidr, b: Cidr) => a.compare(b) === 0);
}
