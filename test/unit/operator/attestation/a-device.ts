/**
 * A GPU's keys and reports, made here: an authority, one between, and the device, on the curve that NVIDIA's use. No report of a real
 * GPU is among the fixtures.
 */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" } as const;
export const from = new Date("2026-01-01T00:00:00Z");
export const to = new Date("2036-01-01T00:00:00Z");

export interface Party {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly pem: string;
}

interface PartyParts {
  readonly name: string;
  readonly issuer?: Party;
  readonly isAuthority?: boolean;
  readonly until?: Date;
}

export async function aParty({ name, issuer, isAuthority = true, until = to }: PartyParts): Promise<Party> {
  const keys = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const shared = {
    ...{ serialNumber: String(Math.floor(Math.random() * 1e9) + 1), notBefore: from, notAfter: until },
    ...{ signingAlgorithm: algorithm, extensions: [new x509.BasicConstraintsExtension(isAuthority, undefined, true)] },
  };
  const certificate = issuer
    ? await x509.X509CertificateGenerator.create({
        ...{ ...shared, subject: `CN=${name}`, issuer: issuer.certificate.subject },
        ...{ publicKey: keys.publicKey, signingKey: issuer.keys.privateKey },
      })
    : await x509.X509CertificateGenerator.createSelfSigned({ ...shared, name: `CN=${name}`, keys });
  return { certificate, keys, pem: certificate.toString("pem") };
}

export interface ReportParts {
  readonly nonce: Uint8Array;
  readonly driver?: string;
}

/** As a GPU answers: request, response, signature. */
export async function aReport({ nonce, driver = "580.65.06" }: ReportParts, signer: Party): Promise<Buffer> {
  const whole = (value: number, bytes: number) => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeUIntLE(value, 0, bytes);
    return buffer;
  };
  const field = (type: number, value: Buffer) => Buffer.concat([whole(type, 2), whole(value.length, 2), value]);
  const measured = Buffer.alloc(48, 7);
  const value = Buffer.concat([Buffer.of(1), whole(measured.length, 2), measured]);
  const record = Buffer.concat([Buffer.of(1, 1), whole(value.length, 2), value]);
  const opaque = Buffer.concat([field(3, Buffer.from(`${driver}\0`)), field(6, Buffer.of(0x96, 0, 0x88))]);
  const signed = Buffer.concat([
    ...[Buffer.of(0x11, 0xe0, 1, 0xff), nonce, Buffer.of(0)],
    ...[Buffer.of(0x11, 0x60, 0, 0, 1), whole(record.length, 3), record, Buffer.alloc(32, 5)],
    ...[whole(opaque.length, 2), opaque],
  ]);
  const signature = await crypto.subtle.sign(algorithm, signer.keys.privateKey, signed);
  return Buffer.concat([signed, Buffer.from(signature)]);
}
