/**
 * A model server behind the gateway (Triton, KServe's servers, `inferium serve`), spoken to in the Open Inference Protocol:
 * binary where it has the extension, JSON where not. Effects: network.
 */
import type { IncomingHttpHeaders } from "undici/types/header.js";
import { InferiumError } from "../../base/errors.ts";
import { buildInferRequest, parseInferResponse } from "../../protocol/oip/infer.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { CallRefusal } from "../call-refusal.ts";
import { createHttpBackend, failed, type HttpBackendOptions } from "./http-backend.ts";
import type { OipBackend } from "./oip-backend.ts";

const headerLengthName = "inference-header-content-length";

export function createRemoteOip(modelName: string, options: HttpBackendOptions): OipBackend {
  const backend = createHttpBackend(options);
  const path = `/v2/models/${encodeURIComponent(modelName)}`;
  let binary: boolean | undefined;

  async function readJson(path: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const answer = await backend.send({ method: "GET", path, signal });
    const body = await backend.readWhole(answer);
    if (answer.statusCode !== 200) throw failed(`answers ${path} with status ${answer.statusCode}`);
    return parseObject(body, path);
  }

  /** Asked once: a server does not change its extensions while it runs. */
  async function isBinary(signal: AbortSignal): Promise<boolean> {
    const { extensions } = await readJson("/v2", signal);
    return Array.isArray(extensions) && extensions.some((one) => /^binary_(tensor_)?data$/.test(String(one)));
  }

  async function infer(inputs: NamedTensors, signal: AbortSignal): Promise<NamedTensors> {
    binary ??= await isBinary(signal);
    const { body, headerLength } = buildInferRequest(inputs, binary);
    const headers =
      headerLength === undefined
        ? { "content-type": "application/json" }
        : { "content-type": "application/octet-stream", [headerLengthName]: String(headerLength) };
    const answer = await backend.send({ method: "POST", path: `${path}/infer`, body, headers, signal });
    const bytes = await backend.readWhole(answer);
    if (answer.statusCode !== 200) throw refuse(answer.statusCode, bytes);
    return readOutputs(bytes, answer.headers);
  }

  return {
    infer,
    describe: (signal) => readJson(path, signal),
    isReady: async (signal) => {
      const answer = await backend.send({ method: "GET", path: `${path}/ready`, signal });
      await answer.body.dump();
      return answer.statusCode === 200;
    },
    close: backend.close,
  };
}

function readOutputs(bytes: Buffer, headers: IncomingHttpHeaders): NamedTensors {
  const length = headers[headerLengthName];
  try {
    return parseInferResponse(bytes, typeof length === "string" ? length : undefined);
  } catch (cause) {
    const what = cause instanceof InferiumError ? `: ${cause.message}` : "";
    throw new CallRefusal(502, "BackendFailed", `The agent's replica gave no valid answer${what}`);
  }
}

/** What is wrong with the caller's input is the caller's to know; what is wrong with the server is not. */
function refuse(status: number, body: Buffer): CallRefusal {
  const { error } = parseObject(body, "infer");
  const message = typeof error === "string" ? error.slice(0, 500) : `status ${status}`;
  if (status >= 400 && status < 500) return new CallRefusal(400, "BackendRefused", message);
  return status === 503
    ? new CallRefusal(503, "BackendBusy", message, 1_000)
    : new CallRefusal(502, "BackendFailed", `The agent's replica failed: ${message}`);
}

function parseObject(body: Buffer, what: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw new InferiumError("BackendFailed", `The agent's replica answers ${what} with what is no JSON.`, {
      cause,
      disposition: "retry",
    });
  }
  throw failed(`answers ${what} with what is no JSON object`);
}
