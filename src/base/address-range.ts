/** What settings call an address range: an IP address, or one with the bits that count. */
import { isIP, isIPv4 } from "node:net";

/** Whether a text is one such as 10.0.0.7, 127.0.0.0/8 or fd00::/8. */
export function isAddressRange(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  if (isIP(address) === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128));
}
