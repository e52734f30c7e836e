/**
 * Addresses with their checksum. That takes a hash, and the addresses of a pool's members are asked for with each claim and each
 * receipt; the answer depends on the address alone, so remembering it changes no result. Pure.
 */
import { getAddress } from "ethers";

const known = new Map<string, string>();
const maxKnown = 65_536;

/** @param address in whatever case. @throws TypeError where it is no address */
export function checksumAddress(address: string): string {
  const found = known.get(address);
  if (found !== undefined) return found;
  const checked = getAddress(address.toLowerCase());
  if (known.size >= maxKnown) known.clear();
  known.set(address, checked);
  return checked;
}
