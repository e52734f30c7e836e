import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encryptKeystoreJson, Wallet } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSigner } from "../../../src/chain/open-signer.ts";

const wallet = new Wallet(`0x${"5a".repeat(32)}`);
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-signer-"));
  // As geth writes them (version 3), but for the cost of its key derivation.
  const keystore = await encryptKeystoreJson(wallet, "correct horse", { scrypt: { N: 1_024 } });
  await writeFile(join(dir, "keystore"), keystore);
  await writeFile(join(dir, "password"), "correct horse\n");
  await writeFile(join(dir, "wrong"), "battery staple\n");
  await writeFile(join(dir, "plain"), `${wallet.privateKey.slice(2)}\n`);
  await writeFile(join(dir, "torn"), keystore.slice(0, 100));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const file = (name: string) => join(dir, name);

describe("the key that sends transactions", () => {
  test("is read from an encrypted keystore with its password, and signs", async () => {
    const signer = await openSigner({ keyFile: file("keystore"), passwordFile: file("password") }, null);
    expect(await signer.getAddress()).toBe(wallet.address);
    expect(await signer.signMessage("a batch")).toBe(await wallet.signMessage("a batch"));
  });

  test("is read from a private key, with or without 0x", async () => {
    expect(await (await openSigner({ keyFile: file("plain") }, null)).getAddress()).toBe(wallet.address);
  });

  const wrong = [
    {
      name: "another password",
      source: { keyFile: "keystore", passwordFile: "wrong" },
      want: /keystore.* does not open/,
    },
    { name: "no password", source: { keyFile: "keystore" }, want: /is a keystore; give its password file/ },
    { name: "a torn keystore", source: { keyFile: "torn", passwordFile: "password" }, want: /does not open/ },
    { name: "a file that is not there", source: { keyFile: "absent" }, want: /Cannot read/ },
    { name: "something else", source: { keyFile: "password" }, want: /holds no private key/ },
  ];
  for (const { name, source, want } of wrong) {
    test(`is refused for ${name}, without a word of what the file holds`, async () => {
      const { keyFile, passwordFile } = source;
      const given = { keyFile: file(keyFile), ...(passwordFile ? { passwordFile: file(passwordFile) } : {}) };
      const error = await openSigner(given, null).catch((refusal) => refusal);
      expect(error).toMatchObject({
        code: "KeyUnreadable",
        disposition: "fatal",
        message: expect.stringMatching(want),
      });
      expect(JSON.stringify(error)).not.toMatch(/correct horse|battery staple|5a5a5a/);
    });
  }

  test("is asked for where none is given", async () => {
    await expect(openSigner({}, null)).rejects.toMatchObject({ code: "NoSigner" });
  });
});
