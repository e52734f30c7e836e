/**
 * `pods/NAME/log`: the server asks the kubelet of the pod's node over HTTPS and passes the stream on, as a real API
 * server does. Effects: one request to the kubelet.
 */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Agent, request } from "undici";
import { describeError } from "../../../base/errors.ts";
import type { Exchange } from "../http/exchange.ts";
import type { KubeObject } from "../object.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { failure, methodNotAllowed } from "../status.ts";
import { buildKubeletUrl, chooseContainer, type KubeletClientOptions, requireKubeletClient } from "./kubelet-client.ts";

const passedOn = ["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes"];
const connectTimeoutMs = 10_000;

export class PodLogProxy {
  readonly #context: ApiContext;
  readonly #options: KubeletClientOptions | undefined;
  readonly #agent: Agent;

  constructor(context: ApiContext, options: KubeletClientOptions | undefined) {
    this.#context = context;
    this.#options = options;
    const tls = options === undefined ? {} : { ca: options.caPem };
    // Follow streams may be silent for ever, so there is no body time-out; the client's abort ends them.
    this.#agent = new Agent({ connect: { ...tls, timeout: connectTimeoutMs }, bodyTimeout: 0, headersTimeout: 30_000 });
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async handle(exchange: Exchange, target: Target): Promise<void> {
    if (exchange.request.method !== "GET") throw methodNotAllowed();
    const pod = readObject(this.#context, target).object;
    const container = chooseContainer(pod, exchange.query.get("container") ?? "");
    const url = this.#logUrl(pod, container, exchange.query);
    const reply = await this.#ask(url, exchange.life.signal);
    if (reply.statusCode !== 200) throw await kubeletError(reply.statusCode, reply.body, pod, container);
    exchange.response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
    exchange.response.flushHeaders();
    await this.#pass(reply.body, exchange);
  }

  async #pass(body: Readable, exchange: Exchange): Promise<void> {
    try {
      await pipeline(body, exchange.response, { signal: exchange.life.signal });
    } catch (error) {
      // Headers are out, so all that can be told is that the stream broke off.
      if (!exchange.life.signal.aborted)
        this.#context.logger.warn("log stream broke off", { error: describeError(error) });
      exchange.response.destroy();
    }
  }

  async #ask(url: URL, signal: AbortSignal) {
    const { token } = requireKubeletClient(this.#options, "pod logs");
    try {
      return await request(url, {
        dispatcher: this.#agent,
        signal,
        headers: { authorization: `Bearer ${token}` },
      });
    } catch (error) {
      throw failure(500, "InternalError", `Get ${JSON.stringify(url.href)}: ${describeError(error)}`);
    }
  }

  #logUrl(pod: KubeObject, container: string, query: URLSearchParams): URL {
    const url = buildKubeletUrl(this.#context, pod, "containerLogs", container);
    for (const name of passedOn) {
      const value = query.get(name);
      if (value !== null) url.searchParams.set(name, value);
    }
    return url;
  }
}

async function kubeletError(
  code: number,
  body: { text(): Promise<string> },
  pod: KubeObject,
  container: string,
): Promise<Error> {
  const text = (await body.text()).trim().slice(0, 1000);
  if (code === 404 || code === 400)
    return failure(
      code,
      code === 404 ? "NotFound" : "BadRequest",
      text || `no logs of ${pod.metadata.name}/${container}`,
    );
  return failure(
    500,
    "InternalError",
    `the kubelet answered ${code} for the logs of ${pod.metadata.name}/${container}: ${text}`,
  );
}
