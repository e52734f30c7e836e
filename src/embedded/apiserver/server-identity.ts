/**
 * What makes the server the same one after a restart, so that kubeconfigs and service account tokens stay good: the
 * authorities of its own certificate and of client certificates, the administrator's token and the key that signs tokens.
 * Kept in the data directory's notes; without one, made anew. Called by `server.ts`.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { InferiumError } from "../../base/errors.ts";
import { type CertificateAuthority, createCertificateAuthority, loadCertificateAuthority } from "../../base/tls.ts";
import { asString, isObject, type JsonObject } from "./json-value.ts";
import type { ServerNotes } from "./storage/data-dir.ts";

export interface ServerIdentity {
  readonly authority: CertificateAuthority;
  readonly clientAuthority: CertificateAuthority;
  readonly adminToken: string;
  readonly accountKey: KeyObject;
}

const noteName = "identity";

export async function openServerIdentity(notes: ServerNotes | undefined): Promise<ServerIdentity> {
  const known = notes?.get(noteName);
  if (known !== undefined) return readIdentity(known);
  const identity = {
    authority: await createCertificateAuthority("inferium-embedded-ca"),
    clientAuthority: await createCertificateAuthority("inferium-embedded-client-ca"),
    adminToken: randomBytes(24).toString("base64url"),
    accountKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  };
  notes?.set(noteName, writeIdentity(identity));
  return identity;
}

function writeIdentity({ authority, clientAuthority, adminToken, accountKey }: ServerIdentity): object {
  return {
    caCert: authority.certPem,
    caKey: authority.keyPem,
    clientCaCert: clientAuthority.certPem,
    clientCaKey: clientAuthority.keyPem,
    adminToken,
    accountKey: accountKey.export({ format: "der", type: "pkcs8" }).toString("base64"),
  };
}

async function readIdentity(note: unknown): Promise<ServerIdentity> {
  try {
    if (!isObject(note)) throw new Error("it is not an object");
    const adminToken = asString(note.adminToken);
    if (adminToken === "") throw new Error("it has no adminToken");
    const der = Buffer.from(asString(note.accountKey), "base64");
    return {
      authority: await readAuthority(note, "ca"),
      clientAuthority: await readAuthority(note, "clientCa"),
      adminToken,
      accountKey: createPrivateKey({ key: der, format: "der", type: "pkcs8" }),
    };
  } catch (cause) {
    const message =
      "the keys of the server in its data directory cannot be read; use the version that wrote them, or another data directory";
    throw new InferiumError("DataFormatUnknown", message, { disposition: "fatal", cause });
  }
}

function readAuthority(note: JsonObject, name: string): Promise<CertificateAuthority> {
  return loadCertificateAuthority(asString(note[`${name}Cert`]), asString(note[`${name}Key`]));
}
