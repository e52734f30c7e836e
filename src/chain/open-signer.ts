/** The key that sends transactions: a file with a private key or an encrypted keystore, or a remote signer. */
import { readFile } from "node:fs/promises";
import { type Provider, type Signer, Wallet } from "ethers";
import { describeError, InferiumError } from "../base/errors.ts";
import { NativeKey } from "./native-key.ts";
import { openRemoteSigner } from "./remote-signer.ts";

export interface SignerSource {
  /** A private key as 0x-hex, or a keystore as JSON (version 3). */
  readonly keyFile?: string | undefined;
  /** The keystore's password. */
  readonly passwordFile?: string | undefined;
  /** JSON-RPC endpoint of a remote signer, in place of a key file. */
  readonly url?: string | undefined;
  /** Account of the remote signer; may be left out where it has one. */
  readonly address?: string | undefined;
}

/** @throws InferiumError NoSigner, KeyUnreadable, and those of openRemoteSigner */
export async function openSigner(source: SignerSource, provider: Provider | null): Promise<Signer> {
  if (source.url !== undefined) return openRemoteSigner({ url: source.url, address: source.address }, provider);
  if (source.keyFile === undefined) {
    const message = "No key to sign with: give a key file (private key or keystore) or the URL of a remote signer.";
    throw new InferiumError("NoSigner", message, { disposition: "fatal" });
  }
  const text = await readText(source.keyFile);
  return text.startsWith("{") ? unlock(source, text, provider) : readKey(source.keyFile, text, provider);
}

function readKey(path: string, text: string, provider: Provider | null): Wallet {
  // ethers repeats what it was given in its message, which here is the key: so it is checked first and never passed on.
  if (/^(0x)?[0-9a-f]{64}$/i.test(text))
    return new Wallet(new NativeKey(text.startsWith("0x") ? text : `0x${text}`), provider);
  throw unreadable(`${path} holds no private key: expected 64 hex digits, or a keystore as JSON`);
}

async function unlock(source: SignerSource, json: string, provider: Provider | null): Promise<Signer> {
  if (source.passwordFile === undefined) throw unreadable(`${source.keyFile} is a keystore; give its password file`);
  const password = await readText(source.passwordFile);
  try {
    return (await Wallet.fromEncryptedJson(json, password)).connect(provider);
  } catch (error) {
    throw unreadable(
      `The keystore ${source.keyFile} does not open: ${(error as { shortMessage?: string }).shortMessage ?? "not a keystore"}`,
    );
  }
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    throw unreadable(`Cannot read ${path}: ${describeError(error)}`);
  }
}

function unreadable(what: string): InferiumError {
  return new InferiumError("KeyUnreadable", `${what}.`, { disposition: "fatal" });
}
