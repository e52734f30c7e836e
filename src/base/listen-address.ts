/** Where a server listens, as settings and flags say it: `host:port`, `[IPv6]:port`, or `:port` for every address of the machine. */
import { isIPv6 } from "node:net";
import { type EnvironmentReader, invalidVariable } from "./environment.ts";
import { InferiumError } from "./errors.ts";

export interface ListenAddress {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

const expected = "host:port, [IPv6]:port or :port, with a port up to 65535";

/** @throws InferiumError InvalidConfiguration */
export function readListenAddress(env: EnvironmentReader, name: string): ListenAddress | undefined {
  const text = env.text(name);
  if (text === undefined) return undefined;
  const address = parse(text);
  if (address === undefined) throw invalidVariable(name, text, expected);
  return address;
}

/** @param flag whose value it is @throws InferiumError InvalidOption */
export function parseListenAddress(text: string, flag: string): ListenAddress {
  const address = parse(text);
  if (address !== undefined) return address;
  const message = `${flag} is "${text.slice(0, 200)}"; expected ${expected}.`;
  throw new InferiumError("InvalidOption", message, { disposition: "fatal" });
}

/** A host as it stands in a URL. */
export const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function parse(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]\s]*)\]|([^:[\]\s]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  return { host: bracketed ?? (plain || "0.0.0.0"), port };
}
