import { randomBytes } from "node:crypto";
import { hexlify, SigningKey, Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import { NativeKey } from "../../../src/chain/native-key.ts";

const order = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const keys = [`0x${"0".repeat(63)}1`, ...Array.from({ length: 12 }, () => hexlify(randomBytes(32)))];
const transaction = {
  type: 2,
  chainId: 31_337n,
  nonce: 3,
  gasLimit: 21_000n,
  maxFeePerGas: 2n,
  maxPriorityFeePerGas: 1n,
  to: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  data: "0x1234",
};

describe("a native key is ethers' own in all that shows:", () => {
  test.each(keys)("addresses, signatures and transactions of %s", async (key) => {
    const [native, plain] = [new NativeKey(key), new SigningKey(key)];
    const digest = hexlify(randomBytes(32));
    expect(native.publicKey).toBe(plain.publicKey);
    expect(native.sign(digest)).toEqual(plain.sign(digest));
    expect(new Wallet(native).address).toBe(new Wallet(key).address);
    expect(await new Wallet(native).signTransaction(transaction)).toBe(
      await new Wallet(key).signTransaction(transaction),
    );
  });

  test.each([`0x${"0".repeat(64)}`, order])("a refusal of %s, which is no key", (key) => {
    expect(() => new NativeKey(key).publicKey).toThrow();
    expect(() => new NativeKey(key).sign(hexlify(randomBytes(32)))).toThrow();
  });
});
