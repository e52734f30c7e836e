/**
 * DNS for http-source.ts: answers of which only allowed addresses are left, at the moment of connecting, so that a name which
 * resolved to something else when it was looked at gains nothing.
 */
import { type LookupAddress, lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { InferiumError } from "../base/errors.ts";
import type { AddressCheck } from "./address-policy.ts";

/** As `dns.lookup` with `all`; given by tests. */
export type ResolveAll = (
  host: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

const resolveBySystem: ResolveAll = (host, done) => systemLookup(host, { all: true, verbatim: true }, done);

export function createCheckedLookup(check: AddressCheck, resolve: ResolveAll = resolveBySystem): LookupFunction {
  return (host, options, callback) =>
    resolve(host, (error, addresses) => {
      if (error) return callback(error, "");
      const families = options.family === 4 || options.family === 6 ? [options.family] : [4, 6];
      const usable = addresses.filter(({ address, family }) => families.includes(family) && !check(address));
      const [first] = usable;
      if (first === undefined) return callback(refusal(host, addresses, check), "");
      if (options.all) callback(null, usable);
      else callback(null, first.address, first.family);
    });
}

/** What a name resolves to is the network's own business: the tenant that wrote it is told the kind only. */
function refusal(host: string, addresses: readonly LookupAddress[], check: AddressCheck): InferiumError {
  const why = addresses.map(({ address }) => check(address)).find((reason) => reason !== undefined);
  if (why === undefined)
    return new InferiumError("NotAllowed", `${host} has no address of the family that is asked for`);
  return new InferiumError("NotAllowed", notReadFrom(why));
}

export function notReadFrom(why: string): string {
  return `leads to ${why}, which is not read from unless it is allowed (INFERIUM_ALLOWED_ADDRESSES of workers and validators)`;
}
