/** Signing and recovering a signer give what ethers gives, for good signatures and for everything that is none. */
import { getBytes, hexlify, Signature, verifyTypedData, Wallet } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSigner } from "../../../src/pool/signer.ts";
import { buildDomain, recoverSigner, type SessionMessage, sessionTypes } from "../../../src/protocol/typed-data.ts";

const domain = { chainId: 31337, settlement: `0x${"5".repeat(40)}` };
const types = sessionTypes;
const groupOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const aMessage = (challenge: string): SessionMessage => ({
  account: `0x${"1".repeat(40)}`,
  pool: "pool",
  role: "Worker",
  challenge,
  expiresAtMs: 1,
});

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hexlify(bytes));

const toPrivateKey = (bytes: string) =>
  `0x${((BigInt(bytes) % (groupOrder - 1n)) + 1n).toString(16).padStart(64, "0")}`;

function ethersRecovers(message: object, signature: string): string | undefined {
  try {
    return verifyTypedData(buildDomain(domain), types, message, signature);
  } catch {
    return undefined;
  }
}

describe("createSigner", () => {
  test("has the address of ethers' wallet and signs the same bytes", async () => {
    await fc.assert(
      fc.asyncProperty(bytes32, bytes32, async (key, challenge) => {
        const wallet = new Wallet(toPrivateKey(key));
        const signer = createSigner(wallet.privateKey);
        const expected = await wallet.signTypedData(buildDomain(domain), types, aMessage(challenge));
        expect(signer.address).toBe(wallet.address);
        expect(await signer.signTypedData(domain, types, aMessage(challenge))).toBe(
          Signature.from(expected).compactSerialized,
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("recoverSigner", () => {
  test("answers who signed, from the full and the compact form", async () => {
    await fc.assert(
      fc.asyncProperty(bytes32, bytes32, async (key, challenge) => {
        const wallet = new Wallet(toPrivateKey(key));
        const message = aMessage(challenge);
        const signature = await wallet.signTypedData(buildDomain(domain), types, message);
        expect(recoverSigner(domain, types, message, signature)).toBe(wallet.address);
        expect(recoverSigner(domain, types, message, Signature.from(signature).compactSerialized)).toBe(wallet.address);
      }),
      { numRuns: 50 },
    );
  });

  test("answers what ethers answers for bytes that nobody signed", () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ minLength: 64, maxLength: 65 }),
      fc.uint8Array({ maxLength: 70 }),
      fc.constantFrom(new Uint8Array(64), new Uint8Array(65).fill(255)),
    );
    fc.assert(
      fc.property(anyBytes, bytes32, (bytes, challenge) => {
        const signature = hexlify(bytes);
        expect(recoverSigner(domain, types, aMessage(challenge), signature)).toBe(
          ethersRecovers(aMessage(challenge), signature),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("the mirrored signature with s in the upper half is nobody's", async () => {
    const message = aMessage(`0x${"7".repeat(64)}`);
    const signature = Signature.from(await Wallet.createRandom().signTypedData(buildDomain(domain), types, message));
    const mirrored = getBytes(signature.serialized);
    mirrored.set(getBytes(`0x${(groupOrder - BigInt(signature.s)).toString(16).padStart(64, "0")}`), 32);
    mirrored[64] = signature.v === 27 ? 28 : 27;
    expect(recoverSigner(domain, types, message, hexlify(mirrored))).toBeUndefined();
  });

  test("a message that does not fit its types is nobody's", () => {
    expect(recoverSigner(domain, types, { account: "no address" }, `0x${"1".repeat(128)}`)).toBeUndefined();
  });
});
