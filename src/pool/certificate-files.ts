/**
 * The pool API's certificate and key, in files that are replaced while it serves: a Secret's volume, written by Helm, cert-manager or a
 * person. The operator reads them at its start and then looks at intervals; a pair that does not belong together, or is half written, is
 * left alone until it does. Effects: reads two files; a log line where what they hold changes or is wrong.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

export interface CertificatePair {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface CertificateFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told at the start and at each change, in seconds since the epoch. */
  readonly onExpiry?: (notAfterSeconds: number) => void;
}

export class CertificateFiles {
  readonly #options: CertificateFilesOptions;
  readonly #listeners = new Set<(pair: CertificatePair) => void>();
  #current: CertificatePair;
  /** What was wrong the last time, so that it is said once. */
  #problem = "";

  private constructor(options: CertificateFilesOptions, current: CertificatePair) {
    this.#options = options;
    this.#current = current;
    this.#tellExpiry();
  }

  /** @throws InferiumError InvalidConfiguration where the files cannot be read or do not belong together */
  static async open(options: CertificateFilesOptions): Promise<CertificateFiles> {
    return new CertificateFiles(options, await readPair(options));
  }

  get current(): CertificatePair {
    return this.#current;
  }

  /** @returns what ends it */
  onChange(listener: (pair: CertificatePair) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Until the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(this.#options.refreshMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { certFile, logger } = this.#options;
    try {
      const pair = await readPair(this.#options);
      this.#problem = "";
      if (pair.certPem === this.#current.certPem && pair.keyPem === this.#current.keyPem) return;
      this.#current = pair;
      const { serialNumber, validTo } = new X509Certificate(pair.certPem);
      logger.info("certificate of the pool API replaced", { serialNumber, validTo });
      this.#tellExpiry();
      for (const listener of this.#listeners) listener(pair);
    } catch (error) {
      const problem = describeError(error);
      if (problem !== this.#problem) logger.warn("the old certificate stays in use", { certFile, error: problem });
      this.#problem = problem;
    }
  }

  #tellExpiry(): void {
    const { validTo } = new X509Certificate(this.#current.certPem);
    this.#options.onExpiry?.(Math.floor(Date.parse(validTo) / 1_000));
  }
}

async function readPair({ certFile, keyFile }: CertificateFilesOptions): Promise<CertificatePair> {
  const [certPem, keyPem] = await Promise.all([readText(certFile), readText(keyFile)]);
  checkPair({ certPem, keyPem }, certFile, keyFile);
  return { certPem, keyPem };
}

function checkPair({ certPem, keyPem }: CertificatePair, certFile: string, keyFile: string): void {
  let belongs: boolean;
  try {
    belongs = new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem));
  } catch (cause) {
    const message = `${certFile} and ${keyFile} are not a PEM certificate and its key: ${describeError(cause)}.`;
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
  }
  if (belongs) return;
  const message = `The key in ${keyFile} is not that of the certificate in ${certFile}; give both from one Secret.`;
  throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal" });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const message = `Cannot read ${path}: ${describeError(cause)}. Mount it, or correct the variable that names it.`;
    throw new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
  }
}
