import { Signature, Wallet } from "ethers";
import { describe, expect, test } from "vitest";
import { buildCertificate, computeQuorum, sortAddresses } from "../../../src/chain/certificate.ts";

const keys = ["01", "02", "03", "04"].map((byte) => new Wallet(`0x${byte.repeat(32)}`));
const digest = `0x${"aa".repeat(32)}`;
const sign = (wallet: Wallet) => wallet.signingKey.sign(digest).serialized;
const set = keys.map((key) => key.address);
const signedBy = (...wallets: Wallet[]) => new Map(wallets.map((wallet) => [wallet.address, sign(wallet)]));

describe("quorum", () => {
  test.each([
    { validators: 1, want: 1 },
    { validators: 3, want: 3 },
    { validators: 4, want: 3 },
    { validators: 7, want: 5 },
    { validators: 16, want: 11 },
  ])("of $validators validators is $want", ({ validators, want }) => {
    expect(computeQuorum(validators)).toBe(want);
  });
});

describe("a certificate", () => {
  test("orders bits and signatures by ascending address, whatever order they came in", () => {
    const ascending = sortAddresses(set);
    const [a, , c, d] = ascending.map((address) => keys.find((key) => key.address === address)!);
    const certificate = buildCertificate([...set].reverse(), signedBy(d!, a!, c!));
    expect(certificate.bitmap).toBe(0b1101n);
    const wanted = [a!, c!, d!].map((key) => Signature.from(sign(key)).compactSerialized.slice(2)).join("");
    expect(certificate.signatures).toBe(`0x${wanted}`);
  });

  test("below the quorum is none yet", () => {
    expect(() => buildCertificate(set, signedBy(keys[0]!, keys[1]!))).toThrow(
      expect.objectContaining({ code: "QuorumNotReached", disposition: "retry" }),
    );
  });

  test("refuses a signer outside the set", () => {
    const stranger = new Wallet(`0x${"09".repeat(32)}`);
    expect(() => buildCertificate(set, signedBy(...keys.slice(0, 3), stranger))).toThrow(
      expect.objectContaining({ code: "UnknownSigner" }),
    );
  });
});
