/**
 * The ONNX model server, `inferium serve`: models by name, each fetched by digest and loaded at the start, spoken to in the
 * Open Inference Protocol v2. No keys, no prices, no receipts: those are the gateway's, which stands before it. Started by
 * main.ts. Effects: one listening socket, the artifact cache, the computation.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Digest } from "../base/digest.ts";
import { describeError } from "../base/errors.ts";
import type { FrontBounds } from "../base/http-front.ts";
import type { Logger } from "../base/log.ts";
import { createModelHost, type ModelHostOptions } from "../inference/model-host.ts";
import { createLocalOip, onlyVersion } from "./backends/local-oip.ts";
import type { OipBackend } from "./backends/oip-backend.ts";
import { CallRefusal, toRefusal } from "./call-refusal.ts";
import { startHttpServer } from "./http/http-server.ts";
import { sendOipError } from "./http/send.ts";
import { answerOip, type OipModel, type OipService } from "./routes/oip-routes.ts";
import { parsePath } from "./routes/parse-path.ts";

export interface ServeConfig {
  readonly host: string;
  readonly port: number;
  readonly models: readonly ServedModel[];
  readonly executor: ModelHostOptions;
  readonly maxBodyBytes: number;
  /** Between not being ready and accepting no more: until whoever sends callers here has noticed. */
  readonly drainDelayMs: number;
  readonly graceMs: number;
  readonly bounds?: Partial<FrontBounds>;
}

export interface ServedModel {
  readonly name: string;
  readonly uri: string;
  readonly digest: Digest;
}

export interface ServeDependencies {
  /** Aborted to stop. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly onReady?: (url: string) => void;
}

/** Resolves after a graceful stop. @throws InferiumError where the port is taken or a model cannot be loaded */
export async function serveModels(config: ServeConfig, { signal, logger, onReady }: ServeDependencies): Promise<void> {
  const models = new Map<string, OipBackend>();
  let isReady = false;
  const service: OipService = {
    isReady: () => isReady,
    find: (name, version) => findModel(models, config, name, version),
  };
  // Listening first: the kubelet sees it live while models of gigabytes are fetched.
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    void answer(service, request, response, logger);
  const server = await startHttpServer({ ...config, onRequest, logger });
  try {
    const host = createModelHost(config.executor);
    for (const { name, ...ref } of config.models) {
      models.set(name, createLocalOip(name, await host.open(ref, signal)));
      logger.info("model loaded", { model: name, digest: ref.digest });
    }
    isReady = true;
    logger.info("serving models", { url: server.url, models: [...models.keys()] });
    onReady?.(server.url);
    await aborted(signal);
    isReady = false;
    await sleep(config.drainDelayMs);
  } finally {
    await server.close(config.graceMs);
    for (const model of models.values()) await model.close();
  }
}

function findModel(
  models: ReadonlyMap<string, OipBackend>,
  { maxBodyBytes }: ServeConfig,
  name: string,
  version: string | undefined,
): OipModel {
  const model = models.get(name);
  if (model === undefined || (version !== undefined && version !== onlyVersion)) {
    const known = [...models.keys()].slice(0, 16).join(", ") || "none yet";
    const what = version === undefined ? `model "${name}"` : `version "${version}" of a model "${name}"`;
    throw new CallRefusal(404, "UnknownModel", `There is no ${what}; models: ${known}.`);
  }
  return {
    describe: model.describe,
    isReady: model.isReady,
    begin: () => ({
      maxBodyBytes,
      infer: async (inputs, build, gone) => ({ body: build(await model.infer(inputs, gone)), headers: {} }),
      abandon: () => undefined,
    }),
  };
}

async function answer(
  service: OipService,
  request: IncomingMessage,
  response: ServerResponse,
  logger: Logger,
): Promise<void> {
  const path = parsePath(request.url ?? "/");
  try {
    if (path.kind !== "oip-server" && path.kind !== "oip-model") {
      throw new CallRefusal(
        404,
        "NotFound",
        "There is nothing here; see the Open Inference Protocol v2: /v2/models/...",
      );
    }
    await answerOip(service, path, request, response);
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal.status === 500) logger.error("a call failed", { path: path.kind, error: describeError(error) });
    sendOipError(response, refusal);
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
