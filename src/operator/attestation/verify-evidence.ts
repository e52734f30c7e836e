/**
 * Holds a worker's evidence against what can be checked of it: each report is signed by the key of a certificate that leads to a
 * trusted root, was made for our nonce, and no two are of one device. Golden values of the measurements and the revocation
 * of certificates are not looked up. No effects but the arithmetic.
 */
import { verify, X509Certificate } from "node:crypto";
import { InferiumError } from "../../base/errors.ts";
import type { GpuEvidence } from "../../pool/wire.ts";
import { parseGpuReport } from "./gpu-report.ts";

export interface EvidenceTerms {
  /** 32 bytes, 0x-hex. */
  readonly nonce: string;
  /** PEM of the authorities that are trusted. */
  readonly roots: readonly string[];
  readonly nowMs: number;
}

export interface AttestedDevice {
  /** SHA-256 of the device's own certificate: the same device has the same, whoever shows it. */
  readonly device: string;
  readonly driverVersion: string | undefined;
}

const maxCertificates = 8;

/** @throws InferiumError InvalidEvidence, saying which check failed */
export function verifyEvidence(evidence: readonly GpuEvidence[], terms: EvidenceTerms): AttestedDevice[] {
  const devices = evidence.map((one) => verifyDevice(one, terms));
  const distinct = new Set(devices.map(({ device }) => device));
  if (distinct.size < devices.length) throw invalid("two reports are of one device");
  return devices;
}

function verifyDevice({ report: encoded, certificates }: GpuEvidence, terms: EvidenceTerms): AttestedDevice {
  const [leaf, ...issuers] = certificates.slice(0, maxCertificates).map(readCertificate);
  if (leaf === undefined) throw invalid("a report has no certificate");
  checkChain([leaf, ...issuers], terms);
  const report = parseGpuReport(Buffer.from(encoded, "base64"));
  if (!Buffer.from(report.nonce).equals(Buffer.from(terms.nonce.slice(2), "hex"))) {
    throw invalid("a report was made for another nonce, so it is not fresh or not for this worker");
  }
  const key = { key: leaf.publicKey, dsaEncoding: "ieee-p1363" } as const;
  if (
    leaf.publicKey.asymmetricKeyDetails?.namedCurve !== "secp384r1" ||
    !verify("sha384", report.signed, key, report.signature)
  ) {
    throw invalid("a report is not signed by the key of its certificate");
  }
  return { device: leaf.fingerprint256.replaceAll(":", "").toLowerCase(), driverVersion: report.driverVersion };
}

/** From the device up: each issued by the next, the last by a trusted root or one itself. */
function checkChain(chain: readonly X509Certificate[], { roots, nowMs }: EvidenceTerms): void {
  const trusted = roots.map(readCertificate);
  chain.forEach((certificate, index) => {
    if (Date.parse(certificate.validFrom) > nowMs || Date.parse(certificate.validTo) <= nowMs) {
      throw invalid(`certificate ${certificate.subject.slice(0, 100)} is not valid now`);
    }
    const issuer = chain[index + 1];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer))
      throw invalid("its certificates do not lead to each other");
  });
  const last = chain.at(-1);
  const isRooted = trusted.some(
    (root) => last !== undefined && (last.fingerprint256 === root.fingerprint256 || isIssuedBy(last, root)),
  );
  if (!isRooted) throw invalid("its certificates lead to no trusted root");
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** @throws InferiumError InvalidEvidence */
export function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new InferiumError("InvalidEvidence", "The evidence cannot be used: a certificate cannot be read.", { cause });
  }
}

function invalid(problem: string): InferiumError {
  return new InferiumError("InvalidEvidence", `The evidence cannot be used: ${problem}.`);
}
