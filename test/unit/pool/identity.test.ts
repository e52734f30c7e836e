import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encryptKeystoreJson, Wallet } from "ethers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogger, type Logger } from "../../../src/base/log.ts";
import { loadIdentity } from "../../../src/pool/identity.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import { recoverSigner, sessionTypes } from "../../../src/protocol/typed-data.ts";

const privateKey = `0x${"5d".repeat(32)}`;
const { address } = new Wallet(privateKey);
const domain = { chainId: 1, settlement: `0x${"1".repeat(40)}` };

let folder = "";
let lines: string[] = [];
let logger: Logger;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "inferium-key-"));
  lines = [];
  logger = createLogger({ write: (line) => void lines.push(line) });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function aKeyFile(text: string, mode = 0o600): Promise<string> {
  const keyFile = join(folder, "key");
  await writeFile(keyFile, text);
  await chmod(keyFile, mode);
  return keyFile;
}

describe("the identity of a member", () => {
  test.for([
    { name: "with 0x", text: privateKey },
    { name: "without 0x", text: privateKey.slice(2) },
    { name: "with a newline", text: `${privateKey}\n` },
  ])("is a key in hex $name", async ({ text }) => {
    expect((await loadIdentity({ keyFile: await aKeyFile(text), logger })).address).toBe(address);
    expect(lines).toEqual([]);
  });

  test("is a keystore with its passphrase", async () => {
    // A cheap scrypt; the format of the file is the same.
    const scrypt = { N: 1024, r: 8, p: 1 };
    const keyFile = await aKeyFile(await encryptKeystoreJson({ address, privateKey }, "open sesame", { scrypt }));
    expect((await loadIdentity({ keyFile, passphrase: "open sesame", logger })).address).toBe(address);
    await expect(loadIdentity({ keyFile, logger })).rejects.toMatchObject({ code: "PassphraseMissing" });
    await expect(loadIdentity({ keyFile, passphrase: "wrong", logger })).rejects.toMatchObject({
      code: "WrongPassphrase",
    });
  });

  test("a file that others can read is used, with a warning", async () => {
    const keyFile = await aKeyFile(privateKey, 0o644);
    await loadIdentity({ keyFile, logger });
    expect(lines.join("")).toMatch(/"level":"warn".*"mode":"644"/);
  });

  test.for([
    { name: "no key", text: "hello" },
    { name: "a key that is too short", text: privateKey.slice(0, -2) },
    { name: "zero", text: "0".repeat(64) },
    { name: "a number beyond the curve's order", text: "f".repeat(64) },
  ])("$name is refused, and neither error nor log shows it", async ({ text }) => {
    const error = await loadIdentity({ keyFile: await aKeyFile(text), logger }).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: "InvalidKey", disposition: "fatal" });
    expect(`${error?.message} ${error?.stack} ${JSON.stringify(error)} ${String(error?.cause)} ${lines}`).not.toContain(
      text,
    );
  });

  test("a missing file is told by its path", async () => {
    const keyFile = join(folder, "nothing");
    await expect(loadIdentity({ keyFile, logger })).rejects.toThrow(keyFile);
  });
});

describe("signatures of a member", () => {
  test("are 64 bytes and lead back to its address", async () => {
    const message = { account: address, pool: "p", role: "Worker", challenge: `0x${"a".repeat(64)}`, expiresAtMs: 5 };
    const signature = await createSigner(privateKey).signTypedData(domain, sessionTypes, message);
    expect(signature).toMatch(/^0x[0-9a-f]{128}$/);
    expect(recoverSigner(domain, sessionTypes, message, signature)).toBe(address);
    expect(recoverSigner(domain, sessionTypes, { ...message, pool: "q" }, signature)).not.toBe(address);
  });
});
