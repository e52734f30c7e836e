/** String formats that the API server checks in custom resources; it ignores others, and so do we. Pure. */
import { isIP, isIPv4, isIPv6 } from "node:net";
import { isRequestUri } from "../cel/urls-library.ts";

const dateTime = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})$/;
const hostname =
  /^(?=.{1,255}$)([a-zA-Z0-9\p{S}\p{L}]([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.([a-zA-Z0-9\p{S}\p{L}]([a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?))*$/u;
const uuidOf = (version: string) =>
  new RegExp(
    `^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[${version === "[0-9a-f]" || version === "3" ? "0-9a-f" : "89ab"}][0-9a-f]{3}-?[0-9a-f]{12}$`,
    "i",
  );
const matches = (pattern: RegExp) => (value: string) => pattern.test(value);

function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const time = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(value);
}

function isDateTime(value: string): boolean {
  const [, date = "", hour, minute, second] = dateTime.exec(value) ?? [];
  return isDate(date) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** A Go duration in nanoseconds, undefined for anything else. */
export function parseGoDuration(value: string): bigint | undefined {
  if (/^[+-]?0$/.test(value)) return 0n;
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(value);
  if (match === null) return undefined;
  let total = 0n;
  for (const [, number = "", unit = ""] of (match[2] ?? "").matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const [whole = "", fraction = ""] = number.split(".");
    const size = units[unit] ?? 0n;
    total += BigInt(whole || "0") * size + (BigInt(fraction || "0") * size) / 10n ** BigInt(fraction.length);
  }
  return match[1] === "-" ? -total : total;
}

/** Go's durations, and the words of the validation library: "2 days", "1 week". */
function isDuration(value: string): boolean {
  if (parseGoDuration(value) !== undefined) return true;
  return /^(\d+(\.\d+)?\s*(ns|nano|us|µs|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week)(s|ond|onds|ute|utes)?\s*)+$/i.test(
    value,
  );
}

function isCidr(value: string): boolean {
  const [address = "", length = "", ...rest] = value.split("/");
  const family = isIP(address);
  return rest.length === 0 && family !== 0 && /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
}

function passesLuhn(value: string): boolean {
  const digits = value.replace(/\D/g, "");
  if (!/^\d{12,19}$/.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

function hasIsbnChecksum(value: string, length: 10 | 13): boolean {
  const digits = value.replace(/[\s-]/g, "");
  if (length === 10) {
    if (!/^\d{9}[\dX]$/.test(digits)) return false;
    const sum = [...digits].reduce((total, digit, at) => total + (digit === "X" ? 10 : Number(digit)) * (10 - at), 0);
    return sum % 11 === 0;
  }
  if (!/^97[89]\d{10}$/.test(digits)) return false;
  return [...digits].reduce((total, digit, at) => total + Number(digit) * (at % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const formats: Readonly<Record<string, (value: string) => boolean>> = {
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
  byte: (value) => value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value),
  cidr: isCidr,
  creditcard: passesLuhn,
  date: isDate,
  "date-time": isDateTime,
  datetime: isDateTime,
  duration: isDuration,
  email: matches(/^[^@\s<>]+@[^@\s<>]+$/),
  hexcolor: matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  hostname: matches(hostname),
  ipv4: isIPv4,
  ipv6: isIPv6,
  isbn: (value) => hasIsbnChecksum(value, 10) || hasIsbnChecksum(value, 13),
  isbn10: (value) => hasIsbnChecksum(value, 10),
  isbn13: (value) => hasIsbnChecksum(value, 13),
  "k8s-long-name": (value) => value.length <= 253 && value.split(".").every((part) => dnsLabel.test(part)),
  "k8s-short-name": matches(dnsLabel),
  mac: matches(/^([0-9a-f]{2}([:-])[0-9a-f]{2}(\2[0-9a-f]{2}){4,6}|[0-9a-f]{4}(\.[0-9a-f]{4}){2,3})$/i),
  password: () => true,
  rgbcolor: matches(/^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/),
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  uri: isRequestUri,
  uuid: matches(uuidOf("[0-9a-f]")),
  uuid3: matches(uuidOf("3")),
  uuid4: matches(uuidOf("4")),
  uuid5: matches(uuidOf("5")),
};

/** True for formats that are not checked. */
export function checkFormat(format: string, value: string): boolean {
  const check = Object.hasOwn(formats, format) ? formats[format] : undefined;
  return check === undefined || check(value);
}
