/**
 * The Open Inference Protocol v2 over HTTP, for whatever answers it: the model server's models, or the gateway's agents.
 *
 *   GET  /v2                                      server metadata
 *   GET  /v2/health/live, /v2/health/ready        empty, 200 or 503
 *   GET  /v2/models/{m}[/versions/{v}]            model metadata
 *   GET  /v2/models/{m}[/versions/{v}]/ready      empty, 200 or 503
 *   POST /v2/models/{m}[/versions/{v}]/infer      JSON, or JSON and binary tensors
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { version } from "../../base/version.ts";
import { readBody } from "../../pool/read-body.ts";
import type { JoinedBody } from "../../protocol/oip/body.ts";
import { buildInferResponse, parseInferRequest } from "../../protocol/oip/infer.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { CallRefusal } from "../call-refusal.ts";
import { sendBytes, sendJson } from "../http/send.ts";
import type { Path } from "./parse-path.ts";

export interface OipService {
  /** Whether callers should be sent here. */
  isReady(): boolean;
  /** @throws CallRefusal 401, 404 */
  find(name: string, version: string | undefined, request: IncomingMessage): OipModel;
}

export interface OipModel {
  describe(signal: AbortSignal): Promise<object>;
  isReady(signal: AbortSignal): Promise<boolean>;
  /** Before the body is read: a call that may not be made costs no memory. @throws CallRefusal */
  begin(): OipCall;
}

export interface OipCall {
  readonly maxBodyBytes: number;
  /** @param build makes the answer's body of all outputs; what it throws is the caller's fault */
  infer(inputs: NamedTensors, build: (outputs: NamedTensors) => JoinedBody, signal: AbortSignal): Promise<OipResult>;
  /** It came to nothing before infer. */
  abandon(): void;
}

export interface OipResult {
  readonly body: JoinedBody;
  readonly headers: Readonly<Record<string, string>>;
}

const headerLengthName = "inference-header-content-length";
const serverMetadata = { name: "inferium", version, extensions: ["binary_tensor_data"] };

type OipPath = Extract<Path, { kind: "oip-server" | "oip-model" }>;

export async function answerOip(
  service: OipService,
  path: OipPath,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  requireMethod(request, path.verb === "infer" ? "POST" : "GET");
  if (path.kind === "oip-server") {
    if (path.verb === "metadata") sendJson(response, 200, serverMetadata);
    else sendHealth(response, path.verb === "live" || service.isReady());
    return;
  }
  const model = service.find(path.model, path.version, request);
  if (path.verb === "infer") return answerInfer(model, path, request, response);
  const signal = AbortSignal.timeout(10_000);
  if (path.verb === "metadata") sendJson(response, 200, await model.describe(signal));
  else sendHealth(response, await model.isReady(signal));
}

async function answerInfer(
  model: OipModel,
  path: Extract<Path, { kind: "oip-model" }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  refuseEncoding(request);
  const call = model.begin();
  const gone = followCaller(response);
  const parsed = await readBody(request, call.maxBodyBytes)
    .then((body) => parseInferRequest(body, readHeaderLength(request)))
    .catch((error: unknown) => {
      call.abandon();
      throw error;
    });
  const build = (outputs: NamedTensors) =>
    buildInferResponse(parsed, { modelName: path.model, modelVersion: path.version, outputs });
  const { body, headers } = await call.infer(parsed.inputs, build, gone);
  const { headerLength } = body;
  sendBytes(
    response,
    200,
    body.body,
    headerLength === undefined
      ? { "content-type": "application/json", ...headers }
      : { "content-type": "application/octet-stream", [headerLengthName]: headerLength, ...headers },
  );
}

function readHeaderLength(request: IncomingMessage): string | undefined {
  const value = request.headers[headerLengthName];
  return Array.isArray(value) ? value[0] : value;
}

function refuseEncoding(request: IncomingMessage): void {
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity") return;
  throw new CallRefusal(415, "UnsupportedEncoding", `The body is encoded as "${encoding}"; send it as it is.`);
}

/** Aborted where the caller hangs up before it has its answer. */
export function followCaller(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableEnded) gone.abort(new CallRefusal(499, "CallerGone", "The caller closed the connection."));
  });
  return gone.signal;
}

export function requireMethod(request: IncomingMessage, method: "GET" | "POST"): void {
  if (request.method === method || (method === "GET" && request.method === "HEAD")) return;
  throw new CallRefusal(405, "MethodNotAllowed", `${request.method} is not allowed here; use ${method}.`);
}

function sendHealth(response: ServerResponse, isGood: boolean): void {
  response.writeHead(isGood ? 200 : 503, { "content-length": 0 });
  response.end();
}
