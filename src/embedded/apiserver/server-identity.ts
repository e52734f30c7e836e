/**
 * What makes the server the same one after a restart, so that kubeconfigs and service account tokens stay good: its
 * certificate authority, the administrator's token and the key that signs tokens. Kept in the data directory's notes;
 * without one, made anew. Called by `server.ts`.
 */
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from "node:crypto";
import { InferiumError } from "../../base/errors.ts";
import { type CertificateAuthority, createCertificateAuthority, loadCertificateAuthority } from "../../base/tls.ts";
import { tokenSigning } from "./controllers/service-account-tokens.ts";
import { asString, isObject } from "./json-value.ts";
import type { ServerNotes } from "./storage/data-dir.ts";

export interface ServerIdentity {
  readonly authority: CertificateAuthority;
  readonly adminToken: string;
  readonly accountKeys: webcrypto.CryptoKeyPair;
}

const noteName = "identity";

export async function openServerIdentity(notes: ServerNotes | undefined): Promise<ServerIdentity> {
  const known = notes?.get(noteName);
  if (known !== undefined) return readIdentity(known);
  const identity = {
    authority: await createCertificateAuthority("inferium-embedded-ca"),
    adminToken: randomBytes(24).toString("base64url"),
    accountKeys: await webcrypto.subtle.generateKey(tokenSigning, true, ["sign", "verify"]),
  };
  notes?.set(noteName, await writeIdentity(identity));
  return identity;
}

async function writeIdentity({ authority, adminToken, accountKeys }: ServerIdentity): Promise<object> {
  const key = await webcrypto.subtle.exportKey("pkcs8", accountKeys.privateKey);
  return {
    caCert: authority.certPem,
    caKey: authority.keyPem,
    adminToken,
    accountKey: Buffer.from(key).toString("base64"),
  };
}

async function readIdentity(note: unknown): Promise<ServerIdentity> {
  try {
    if (!isObject(note)) throw new Error("it is not an object");
    const adminToken = asString(note.adminToken);
    if (adminToken === "") throw new Error("it has no adminToken");
    return {
      authority: await loadCertificateAuthority(asString(note.caCert), asString(note.caKey)),
      adminToken,
      accountKeys: await importKeys(asString(note.accountKey)),
    };
  } catch (cause) {
    const message =
      "the keys of the server in its data directory cannot be read; use the version that wrote them, or another data directory";
    throw new InferiumError("DataFormatUnknown", message, { disposition: "fatal", cause });
  }
}

async function importKeys(pkcs8: string): Promise<webcrypto.CryptoKeyPair> {
  const key = createPrivateKey({ key: Buffer.from(pkcs8, "base64"), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey("pkcs8", Buffer.from(pkcs8, "base64"), tokenSigning, true, ["sign"]),
    publicKey: await subtle.importKey("spki", spki, tokenSigning, true, ["verify"]),
  };
}
