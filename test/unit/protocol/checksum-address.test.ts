import { Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import { checksumAddress } from "../../../src/protocol/checksum-address.ts";

describe("checksumAddress", () => {
  const { address } = new Wallet(`0x${"5a".repeat(32)}`);

  for (const given of [address, address.toLowerCase(), `0x${address.slice(2).toUpperCase()}`])
    test(`${given} has the checksum of its digits, the second time as well`, () =>
      expect([checksumAddress(given), checksumAddress(given)]).toEqual([address, address]));

  test("what is no address is refused each time", () => {
    for (let i = 0; i < 2; i++) expect(() => checksumAddress("0x12")).toThrow(/invalid address/);
  });
});
