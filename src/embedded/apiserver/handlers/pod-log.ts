/**
 * `pods/NAME/log`: the server asks the kubelet of the pod's node over HTTPS and passes the stream on, as a real API
 * server does. Effects: one request to the kubelet.
 */
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Agent, request } from "undici";
import { describeError } from "../../../base/errors.ts";
import type { Exchange } from "../http/exchange.ts";
import { asArray, asObject, asString, valueAt } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { badRequest, failure, methodNotAllowed } from "../status.ts";

export interface KubeletClientOptions {
  /** Bearer token that kubelets accept. */
  readonly token: string;
  /** Authority that signed the kubelets' certificates. */
  readonly caPem: string;
}

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
    const reply = await this.#ask(url, exchange.signal);
    if (reply.statusCode !== 200) throw await kubeletError(reply.statusCode, reply.body, pod, container);
    exchange.response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
    exchange.response.flushHeaders();
    await this.#pass(reply.body, exchange);
  }

  async #pass(body: Readable, exchange: Exchange): Promise<void> {
    try {
      await pipeline(body, exchange.response, { signal: exchange.signal });
    } catch (error) {
      // Headers are out, so all that can be told is that the stream broke off.
      if (!exchange.signal.aborted) this.#context.logger.warn("log stream broke off", { error: describeError(error) });
      exchange.response.destroy();
    }
  }

  async #ask(url: URL, signal: AbortSignal) {
    if (this.#options === undefined)
      throw failure(
        501,
        "NotImplemented",
        "pod logs need `kubeletClient` credentials, which this server was started without",
      );
    try {
      return await request(url, {
        dispatcher: this.#agent,
        signal,
        headers: { authorization: `Bearer ${this.#options.token}` },
      });
    } catch (error) {
      throw failure(500, "InternalError", `Get ${JSON.stringify(url.href)}: ${describeError(error)}`);
    }
  }

  #logUrl(pod: KubeObject, container: string, query: URLSearchParams): URL {
    const nodeName = asString(specOf(pod).nodeName);
    if (nodeName === "") throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
    const node = this.#context.store.get("nodes", nodeName)?.object;
    if (node === undefined)
      throw failure(500, "InternalError", `node ${nodeName} of pod ${pod.metadata.name} is not found`);
    const port = Number(valueAt(node.status, ["daemonEndpoints", "kubeletEndpoint", "Port"]) ?? 0);
    const address = kubeletAddress(node);
    if (port === 0 || address === "") {
      throw failure(
        500,
        "InternalError",
        `node ${nodeName} gives no kubelet address (status.addresses, status.daemonEndpoints.kubeletEndpoint.Port)`,
      );
    }
    const host = address.includes(":") ? `[${address}]` : address;
    const parts = [pod.metadata.namespace ?? "", pod.metadata.name, container].map(encodeURIComponent);
    const url = new URL(`https://${host}:${port}/containerLogs/${parts.join("/")}`);
    for (const name of passedOn) {
      const value = query.get(name);
      if (value !== null) url.searchParams.set(name, value);
    }
    return url;
  }
}

const addressOrder = ["InternalIP", "Hostname", "InternalDNS", "ExternalIP", "ExternalDNS"];

function kubeletAddress(node: KubeObject): string {
  const addresses = asArray(statusOf(node).addresses).map(asObject);
  for (const type of addressOrder) {
    const found = addresses.find((one) => one.type === type);
    if (found !== undefined) return asString(found.address);
  }
  return "";
}

function chooseContainer(pod: KubeObject, wanted: string): string {
  const spec = specOf(pod);
  const names = (list: unknown) => asArray(list).map((one) => asString(asObject(one).name));
  const main = names(spec.containers);
  const all = [...main, ...names(spec.initContainers), ...names(spec.ephemeralContainers)];
  if (wanted !== "") {
    if (all.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`);
  }
  if (main.length === 1) return main[0] ?? "";
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${all.join(" ")}]`,
  );
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
