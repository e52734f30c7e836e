/** Request metrics under the names that Kubernetes dashboards know, and object counts. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RequestHandler } from "./http/listener.ts";
import { parseResourcePath } from "./http/path.ts";
import type { ApiContext } from "./operations/context.ts";

const buckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

export class ApiMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"verb" | "resource" | "subresource" | "code">;
  readonly #seconds: Histogram<"verb" | "resource">;

  constructor(context: ApiContext) {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "apiserver_request_total",
      help: "Requests by verb, resource, subresource and HTTP code.",
      labelNames: ["verb", "resource", "subresource", "code"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "apiserver_request_duration_seconds",
      help: "Time to answer, watches and log streams excepted.",
      labelNames: ["verb", "resource"],
      buckets,
      registers,
    });
    new Gauge({
      name: "apiserver_storage_objects",
      help: "Stored objects by resource.",
      labelNames: ["resource"],
      registers,
      collect() {
        for (const resource of context.store.resources()) this.set({ resource }, context.store.count(resource));
      },
    });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  measure(handler: RequestHandler): RequestHandler {
    return (request, response, signal) => {
      const started = performance.now();
      response.once("finish", () => this.#record(request, response, performance.now() - started));
      return handler(request, response, signal);
    };
  }

  #record(request: IncomingMessage, response: ServerResponse, elapsedMs: number): void {
    const known = response.statusCode !== 404 && response.statusCode !== 401;
    const { verb, resource, subresource } = describeRequest(known ? request : { method: request.method });
    this.#requests.inc({ verb, resource, subresource, code: String(response.statusCode) });
    if (verb !== "WATCH" && subresource !== "log") this.#seconds.observe({ verb, resource }, elapsedMs / 1000);
  }
}

/** Refused and unknown paths share one label, so that a scan cannot make labels without end. */
function describeRequest(request: { method?: string | undefined; url?: string | undefined }): {
  verb: string;
  resource: string;
  subresource: string;
} {
  const [pathname = "", query = ""] = (request.url ?? "").split("?");
  const isWatch = /(^|&)watch=(true|1)/.test(query);
  const method = request.method ?? "";
  const resource = /^\/apis?\//.test(pathname) ? readResource(pathname) : undefined;
  if (resource === undefined) return { verb: method, resource: "", subresource: "" };
  const verb = isWatch ? "WATCH" : method === "GET" && resource.name === undefined ? "LIST" : method;
  return { verb, resource: resource.resource, subresource: resource.subresource };
}

function readResource(pathname: string) {
  try {
    return parseResourcePath(pathname);
  } catch {
    return undefined;
  }
}
