/** From a member's configuration to its identity and its client. Reads the key, its passphrase and the authority. */
import { readFile } from "node:fs/promises";
import { type Clock, systemClock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { createPoolClient, type PoolClient } from "./client.ts";
import { loadIdentity } from "./identity.ts";
import type { MemberConfig } from "./member-config.ts";
import { createPoolClock } from "./pool-clock.ts";
import type { ProtocolSigner } from "./signer.ts";
import type { PoolRole } from "./wire.ts";

export interface Membership {
  readonly signer: ProtocolSigner;
  readonly client: PoolClient;
  /** The pool's time, in which its deadlines are. */
  readonly clock: Clock;
}

export interface JoinOptions {
  readonly role: PoolRole;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export type JoinConfig = Pick<MemberConfig, "poolUrl" | "poolCaFile" | "expected" | "keyFile" | "passphraseFile">;

/** @throws InferiumError FileUnreadable and those of loadIdentity and createPoolClient (all fatal) */
export async function joinPool(config: JoinConfig, options: JoinOptions): Promise<Membership> {
  const { keyFile, passphraseFile, poolCaFile } = config;
  const passphrase = passphraseFile === undefined ? undefined : (await readText(passphraseFile)).replace(/\r?\n$/, "");
  const signer = await loadIdentity({ keyFile, passphrase, logger: options.logger });
  const caPem = poolCaFile === undefined ? undefined : () => readText(poolCaFile);
  // A file that is not there is said at the start, not at each attempt.
  await caPem?.();
  const clock = createPoolClock(options.clock ?? systemClock);
  const pool = { url: config.poolUrl, caPem, expected: config.expected };
  const client = createPoolClient({ ...options, ...pool, signer, clock, onTime: (header) => clock.hear(header) });
  return { signer, client, clock };
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => {
    const message = `The file ${path} cannot be read; give one that this user can read.`;
    throw new InferiumError("FileUnreadable", message, { disposition: "fatal", cause });
  });
}
