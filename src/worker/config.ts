/** The worker's configuration from its environment: the one place of the role that reads it. */
import { createEnvironmentReader, type Environment } from "../base/environment.ts";
import { type MemberConfig, readMemberConfig } from "../pool/member-config.ts";
import { type LauncherConfig, readLauncherConfig } from "./pods/launcher-config.ts";

export interface WorkerConfig extends MemberConfig {
  /** Tasks run at once. */
  readonly slots: number;
  /** Digest of the container image as 0x-hex; zeros where it is not known. */
  readonly imageDigest: string;
  /** Holds the receipts that are not delivered yet and the record of what was signed. */
  readonly stateDir: string;
  /** How long running tasks may go on after a stop. */
  readonly graceMs: number;
  readonly heartbeatMs: number;
  /** Of a launcher, which runs tasks of mode Pod; undefined for a worker that runs its tasks itself. */
  readonly launcher: LauncherConfig | undefined;
  /** Prints evidence of the GPUs; undefined where there is none. */
  readonly attestationCommand: string | undefined;
  /** How long one claim waits at the pool. */
  readonly claimWaitMs: number;
}

const unknownImage = `0x${"0".repeat(64)}`;

/** @throws InferiumError InvalidConfiguration */
export function readWorkerConfig(variables: Environment = process.env): WorkerConfig {
  const env = createEnvironmentReader(variables);
  const member = readMemberConfig(env);
  const image = env.matching("INFERIUM_IMAGE_DIGEST", /^sha256:[0-9a-f]{64}$/, "sha256: and 64 hex digits");
  return Object.freeze({
    ...member,
    slots: env.whole("INFERIUM_SLOTS", 1, { min: 1, max: 256 }),
    imageDigest: image === undefined ? unknownImage : `0x${image.slice("sha256:".length)}`,
    stateDir: env.text("INFERIUM_STATE_DIR") ?? `${member.executor.cacheDir}/worker-state`,
    graceMs: env.whole("INFERIUM_GRACE_SECONDS", 20, { min: 0, max: 86_400 }) * 1000,
    heartbeatMs: env.whole("INFERIUM_HEARTBEAT_MS", 5_000, { min: 100, max: 60_000 }),
    launcher: readLauncherConfig(env),
    attestationCommand: env.text("INFERIUM_ATTESTATION_COMMAND"),
    claimWaitMs: env.whole("INFERIUM_CLAIM_WAIT_MS", 25_000, { min: 0, max: 30_000 }),
  });
}
