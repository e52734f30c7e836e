/** The configuration of gateway and model server from their environment: the one place of the roles that reads it. */
import { isDigest } from "../base/digest.ts";
import {
  createEnvironmentReader,
  type Environment,
  type EnvironmentReader,
  invalidVariable,
} from "../base/environment.ts";
import { type ListenAddress, readListenAddress } from "../base/listen-address.ts";
import type { JoinConfig } from "../pool/join-pool.ts";
import { readExecutor, readJoin } from "../pool/member-config.ts";
import type { ServeConfig, ServedModel } from "./serve-models.ts";
import type { GatewayConfig } from "./start-gateway.ts";

const mebibyte = 1024 * 1024;

export interface GatewayRoleConfig extends Omit<GatewayConfig, "tls"> {
  readonly tlsFiles: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Undefined where agents come from a file. */
  readonly pool: JoinConfig | undefined;
  /** JSON with a list of agents, in place of the pool's. */
  readonly agentsFile: string | undefined;
  /** Where windows go without a pool. */
  readonly windowsDir: string;
  /** Of the metrics and health server; none where left out. */
  readonly metricsAddress: ListenAddress | undefined;
}

/** @throws InferiumError InvalidConfiguration */
export function readGatewayConfig(variables: Environment = process.env): GatewayRoleConfig {
  const env = createEnvironmentReader(variables);
  const executor = readExecutor(env);
  return Object.freeze({
    ...(readListenAddress(env, "INFERIUM_GATEWAY_ADDR") ?? { host: "127.0.0.1", port: 8080 }),
    ...readBounds(env),
    executor,
    windows: {
      maxCalls: env.whole("INFERIUM_WINDOW_CALLS", 1_000, { min: 1, max: 65_536 }),
      maxAgeMs: env.whole("INFERIUM_WINDOW_SECONDS", 30, { min: 1, max: 86_400 }) * 1_000,
      maxBytes: env.whole("INFERIUM_WINDOW_MIB", 16, { min: 1, max: 1_024 }) * mebibyte,
      maxHeldBytes: env.whole("INFERIUM_WINDOWS_HELD_MIB", 256, { min: 1, max: 65_536 }) * mebibyte,
      keptWindows: env.whole("INFERIUM_WINDOWS_KEPT", 1_000, { min: 1, max: 100_000 }),
    },
    spool: readSpool(env),
    maxAnswerBytes: env.whole("INFERIUM_MAX_ANSWER_MIB", 64, { min: 1, max: 4_096 }) * mebibyte,
    concurrency: env.whole("INFERIUM_BACKEND_CONCURRENCY", 16, { min: 1, max: 4_096 }),
    loadReportMs: env.whole("INFERIUM_LOAD_REPORT_MS", 2_000, { min: 100, max: 60_000 }),
    tlsFiles: readTlsFiles(env),
    pool: env.text("INFERIUM_AGENTS_FILE") === undefined ? readJoin(env) : undefined,
    agentsFile: env.text("INFERIUM_AGENTS_FILE"),
    windowsDir: env.text("INFERIUM_WINDOWS_DIR") ?? `${executor.cacheDir}/call-windows`,
    metricsAddress: readListenAddress(env, "INFERIUM_METRICS_ADDR"),
  });
}

/** @throws InferiumError InvalidConfiguration */
export function readServeConfig(variables: Environment = process.env): ServeConfig {
  const env = createEnvironmentReader(variables);
  return Object.freeze({
    ...(readListenAddress(env, "INFERIUM_SERVE_ADDR") ?? { host: "127.0.0.1", port: 8000 }),
    ...readBounds(env),
    executor: readExecutor(env),
    models: (env.list("INFERIUM_MODELS") ?? [env.required("INFERIUM_MODELS")]).map(parseModel),
  });
}

function readSpool(env: EnvironmentReader): GatewayRoleConfig["spool"] {
  const maxBytes = env.whole("INFERIUM_SPOOL_MIB", 1_024, { min: 1, max: 1_048_576 }) * mebibyte;
  const dir = env.text("INFERIUM_SPOOL_DIR");
  return dir === undefined ? undefined : { dir, maxBytes };
}

function readBounds(env: EnvironmentReader) {
  return {
    maxBodyBytes: env.whole("INFERIUM_MAX_BODY_MIB", 16, { min: 1, max: 1_024 }) * mebibyte,
    drainDelayMs: env.whole("INFERIUM_DRAIN_DELAY_SECONDS", 0, { min: 0, max: 3_600 }) * 1_000,
    graceMs: env.whole("INFERIUM_GRACE_SECONDS", 20, { min: 0, max: 86_400 }) * 1_000,
  };
}

function readTlsFiles(env: EnvironmentReader): GatewayRoleConfig["tlsFiles"] {
  const [certFile, keyFile] = [env.text("INFERIUM_TLS_CERT_FILE"), env.text("INFERIUM_TLS_KEY_FILE")];
  if (certFile === undefined && keyFile === undefined) return undefined;
  return {
    certFile: certFile ?? env.required("INFERIUM_TLS_CERT_FILE"),
    keyFile: keyFile ?? env.required("INFERIUM_TLS_KEY_FILE"),
  };
}

function parseModel(text: string): ServedModel {
  const [, name, uri, digest] = /^([^=]+)=(.+)@(sha256:[0-9a-f]{64})$/.exec(text) ?? [];
  if (name !== undefined && uri !== undefined && digest !== undefined && isDigest(digest)) return { name, uri, digest };
  throw invalidVariable("INFERIUM_MODELS", text, "NAME=URI@sha256:DIGEST, several separated by commas");
}
