/**
 * The identity of a worker or validator: its key, from a file. Either 32 bytes in hex or an encrypted JSON keystore. Reads
 * one file; warns where others could read it too. The key and the passphrase never reach a log or an error.
 */
import { readFile, stat } from "node:fs/promises";
import { Wallet } from "ethers";
import { InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { createSigner, type ProtocolSigner } from "./signer.ts";

export interface IdentityOptions {
  readonly keyFile: string;
  /** Of a keystore. */
  readonly passphrase?: string | undefined;
  readonly logger: Logger;
}

/** More is neither a key nor a keystore. */
const maxFileBytes = 64 * 1024;

/** @throws InferiumError KeyUnreadable, PassphraseMissing, WrongPassphrase, InvalidKey (all fatal) */
export async function loadIdentity(options: IdentityOptions): Promise<ProtocolSigner> {
  const text = (await readKeyFile(options)).trim();
  if (!text.startsWith("{")) return createSigner(text);
  if (options.passphrase === undefined) {
    throw fatal("PassphraseMissing", `${options.keyFile} is an encrypted keystore; give its passphrase as well.`);
  }
  return createSigner(await decrypt(text, options.passphrase, options.keyFile));
}

async function readKeyFile({ keyFile, logger }: IdentityOptions): Promise<string> {
  try {
    const stats = await stat(keyFile);
    if (stats.size > maxFileBytes) throw new Error(`it has ${stats.size} bytes; at most ${maxFileBytes} are a key`);
    const mode = stats.mode & 0o777;
    if ((mode & 0o077) !== 0) {
      logger.warn("key file can be read by others; use mode 0400", { file: keyFile, mode: mode.toString(8) });
    }
    return await readFile(keyFile, "utf8");
  } catch (cause) {
    throw fatal("KeyUnreadable", `The key file ${keyFile} cannot be read; give one that this user can read.`, cause);
  }
}

async function decrypt(json: string, passphrase: string, keyFile: string): Promise<string> {
  try {
    return (await Wallet.fromEncryptedJson(json, passphrase)).privateKey;
  } catch {
    throw fatal("WrongPassphrase", `The keystore ${keyFile} does not open with the passphrase given.`);
  }
}

function fatal(code: string, message: string, cause?: unknown): InferiumError {
  return new InferiumError(code, message, { disposition: "fatal", cause });
}
