/**
 * OpenAI's API for agents whose backends speak it: bodies go through byte for byte, streams as they come.
 *
 *   GET  /v1/models, /v1/models/{m}
 *   POST /v1/chat/completions, /v1/completions, /v1/embeddings
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { sha256 } from "../../base/digest.ts";
import { readBody } from "../../pool/read-body.ts";
import { noOutput } from "../../protocol/calls.ts";
import type { Agent } from "../agent.ts";
import type { AgentTable } from "../agent-table.ts";
import type { HttpAnswer } from "../backends/http-backend.ts";
import type { OpenAiBackend } from "../backends/openai-backend.ts";
import { CallRefusal, toRefusal } from "../call-refusal.ts";
import { sendBytes, sendJson } from "../http/send.ts";
import { type CallMeter, type MeteredCall, receiptHeaders } from "../meter/call-meter.ts";
import { describeBodies } from "../meter/contents.ts";
import { addressOf, findAgent, readKey } from "./find-agent.ts";
import { followCaller, requireMethod } from "./oip-routes.ts";
import type { OpenAiPath } from "./parse-path.ts";
import { passStream } from "./pass-stream.ts";
import { withTimeout } from "./with-timeout.ts";

export interface OpenAiRoutes {
  listModels(model: string | undefined, request: IncomingMessage, response: ServerResponse): void;
  call(path: OpenAiPath, request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export interface OpenAiRoutesOptions {
  readonly agents: AgentTable;
  readonly meter: CallMeter;
  /** Of a body before it is known which agent it is for. */
  readonly maxBodyBytes: number;
  readonly startedAtMs: number;
}

export function createOpenAiRoutes({ agents, meter, maxBodyBytes, startedAtMs }: OpenAiRoutesOptions): OpenAiRoutes {
  /** Those that the caller could call. */
  function visible(request: IncomingMessage): Agent[] {
    const key = readKey(request);
    return [...agents.all()].filter((agent) => {
      const { protocol, draining } = agent.entry();
      return protocol === "openai" && !draining && agent.callers.find(key, addressOf(request)) !== undefined;
    });
  }

  function listModels(model: string | undefined, request: IncomingMessage, response: ServerResponse): void {
    requireMethod(request, "GET");
    const created = Math.floor(startedAtMs / 1_000);
    const describe = (agent: Agent) => ({
      id: agent.entry().modelName,
      object: "model",
      created,
      owned_by: agent.entry().namespace,
    });
    const known = visible(request);
    if (model === undefined) {
      sendJson(response, 200, { object: "list", data: known.map(describe) });
      return;
    }
    const agent = known.find((one) => one.entry().modelName === model);
    if (agent === undefined)
      throw new CallRefusal(404, "UnknownModel", `There is no model "${model.slice(0, 200)}" for you here.`);
    sendJson(response, 200, describe(agent));
  }

  async function call(path: OpenAiPath, request: IncomingMessage, response: ServerResponse): Promise<void> {
    requireMethod(request, "POST");
    const gone = followCaller(response);
    const body = await readBody(request, maxBodyBytes);
    const agent = findAgent(agents, "openai", readModel(body), request);
    const { limits } = agent.entry();
    if (body.length > limits.maxBodyBytes) {
      throw new CallRefusal(
        413,
        "BodyTooLarge",
        `The body is over ${limits.maxBodyBytes} bytes, which is the most allowed.`,
      );
    }
    const metered = meter.begin(agent, readKey(request), addressOf(request));
    await forward({ agent, metered, path, body, gone, response });
  }

  return { listModels, call };
}

/** @throws CallRefusal 400 */
function readModel(body: Buffer): string {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && "model" in value && typeof value.model === "string")
      return value.model;
  } catch (cause) {
    throw Object.assign(new CallRefusal(400, "InvalidInput", "The body is not JSON."), { cause });
  }
  throw new CallRefusal(
    400,
    "InvalidInput",
    'The body has no "model"; expected a JSON object as OpenAI\'s API takes it.',
  );
}

interface Forward {
  readonly agent: Agent;
  readonly metered: MeteredCall;
  readonly path: OpenAiPath;
  readonly body: Buffer;
  readonly gone: AbortSignal;
  readonly response: ServerResponse;
}

/** The lane is held until the answer has ended: a stream occupies its backend as long as it flows. */
async function forward(call: Forward): Promise<void> {
  const { agent, metered, path, body, gone } = call;
  const { timeoutMs } = agent.entry().limits;
  try {
    await agent.openai.use(async (backend) => {
      const answer = await withTimeout(timeoutMs, gone, (signal) => backend.forward(path, body, signal));
      await pass(call, backend, answer);
    }, gone);
  } catch (error) {
    if (metered.isOver()) throw error;
    const { status } = toRefusal(error);
    if (status === 500 || status === 502 || status === 504) metered.fail(describeBodies(body, noOutput));
    else metered.abandon();
    throw error;
  }
}

async function pass({ metered, body, response }: Forward, backend: OpenAiBackend, answer: HttpAnswer): Promise<void> {
  const { statusCode } = answer;
  const contentType = String(answer.headers["content-type"] ?? "application/json");
  if (statusCode >= 200 && statusCode < 300 && contentType.startsWith("text/event-stream")) {
    return passStream({ answer, contentType, input: body, metered, response });
  }
  const output = await backend.readWhole(answer);
  if (statusCode >= 500) throw refuseStatus(statusCode);
  if (statusCode >= 300) {
    // What is wrong with the caller's request it reads in the backend's own words; it pays nothing.
    metered.abandon();
    return sendBytes(response, statusCode, output, { "content-type": contentType });
  }
  const receipt = await metered.finish(describeBodies(body, sha256(output)));
  sendBytes(response, statusCode, output, { "content-type": contentType, ...receiptHeaders(receipt) });
}

function refuseStatus(status: number): CallRefusal {
  if (status === 503) return new CallRefusal(503, "BackendBusy", "The agent's replica is busy; try again.", 1_000);
  return new CallRefusal(502, "BackendFailed", `The agent's replica failed with status ${status}.`);
}
