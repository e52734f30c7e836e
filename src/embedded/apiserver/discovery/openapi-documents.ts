/**
 * `/openapi/v3` (index and one document per group version) and `/openapi/v2` (one document, as JSON or protobuf). Built
 * on demand, kept until the set of kinds changes.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendText } from "../http/respond.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { KindRegistry } from "../registry/kind-registry.ts";
import { methodNotAllowed, notAcceptable, pathNotFound } from "../status.ts";
import { versionInfo } from "../version.ts";
import { openApiPaths } from "./openapi-paths.ts";
import { componentSchemas, openApiPathOf } from "./openapi-schemas.ts";
import { toSwagger } from "./swagger.ts";
import { swaggerProtobufType, toSwaggerProtobuf } from "./swagger-protobuf.ts";

const info = { title: "Kubernetes", version: versionInfo.gitVersion };

export class OpenApiDocuments {
  readonly #kinds: KindRegistry;
  #generation = -1;
  #documents = new Map<string, string>();
  #swagger: string | undefined;
  #swaggerProtobuf: Buffer | undefined;

  constructor(kinds: KindRegistry) {
    this.#kinds = kinds;
  }

  serve(request: IncomingMessage, response: ServerResponse, pathname: string): void {
    if (request.method !== "GET") throw methodNotAllowed();
    this.#refresh();
    const isV2 = pathname === "/openapi/v2";
    if (isV2 && accepts(request.headers.accept, swaggerProtobufType)) this.#sendProtobuf(response);
    else if (accepts(request.headers.accept, "application/json")) this.#sendJson(response, pathname);
    else throw notAcceptable(["application/json", ...(isV2 ? [swaggerProtobufType] : [])]);
  }

  #sendJson(response: ServerResponse, pathname: string): void {
    const body = this.#find(pathname);
    if (body === undefined) throw pathNotFound();
    response.setHeader("etag", `"${hash(body)}"`);
    sendText(response, 200, body, "application/json");
  }

  #find(pathname: string): string | undefined {
    if (pathname === "/openapi/v2") {
      this.#swagger ??= JSON.stringify(toSwagger(this.#kinds.all(), info));
      return this.#swagger;
    }
    if (pathname === "/openapi/v3") return this.#index();
    return this.#document(pathname.slice("/openapi/v3/".length));
  }

  #sendProtobuf(response: ServerResponse): void {
    this.#swaggerProtobuf ??= toSwaggerProtobuf(this.#kinds.all(), info);
    const body = this.#swaggerProtobuf;
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": body.length });
    response.end(body);
  }

  #refresh(): void {
    if (this.#generation === this.#kinds.generation) return;
    this.#generation = this.#kinds.generation;
    this.#documents = new Map();
    this.#swagger = undefined;
    this.#swaggerProtobuf = undefined;
  }

  #index(): string {
    const paths: Record<string, { serverRelativeURL: string }> = {};
    for (const path of this.#groupVersions().keys()) {
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash(this.#document(path) ?? "")}` };
    }
    return JSON.stringify({ paths });
  }

  #groupVersions(): Map<string, ResourceKind[]> {
    const result = new Map<string, ResourceKind[]>();
    for (const kind of this.#kinds.all()) {
      const path = openApiPathOf(kind.group, kind.version);
      result.set(path, [...(result.get(path) ?? []), kind]);
    }
    return result;
  }

  #document(path: string): string | undefined {
    const known = this.#documents.get(path);
    if (known !== undefined) return known;
    const kinds = this.#groupVersions().get(path);
    if (kinds === undefined) return undefined;
    const document = {
      openapi: "3.0.0",
      info,
      paths: openApiPaths(kinds),
      components: { schemas: componentSchemas(kinds) },
    };
    const body = JSON.stringify(document);
    this.#documents.set(path, body);
    return body;
  }
}

/** Whether `type` is the first of the listed media ranges that this server could answer. */
function accepts(accept: string | undefined, type: string): boolean {
  const ranges = (accept ?? "").split(",").map((range) => range.split(";")[0]?.trim() ?? "");
  const known = ranges.find(
    (range) => range === "application/json" || range === swaggerProtobufType || range.endsWith("/*"),
  );
  if (accept === undefined || accept === "" || known?.endsWith("/*")) return type === "application/json";
  return known === type;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32).toUpperCase();
}
