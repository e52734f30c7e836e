/**
 * `/openapi/v3` (index and one document per group version) and `/openapi/v2` (one document, as JSON or protobuf). Built
 * on demand; a document is kept until a kind of its group version changes.
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ResourceKind } from "../registry/kind.ts";
import type { KindRegistry } from "../registry/kind-registry.ts";
import { methodNotAllowed, notAcceptable, pathNotFound } from "../status.ts";
import { versionInfo } from "../version.ts";
import { openApiPaths } from "./openapi-paths.ts";
import { componentSchemas, openApiPathOf } from "./openapi-schemas.ts";
import { reviewKinds } from "./review-resources.ts";
import { toSwagger } from "./swagger.ts";
import { swaggerProtobufType, toSwaggerProtobuf } from "./swagger-protobuf.ts";

const info = { title: "Kubernetes", version: versionInfo.gitVersion };
const rootV3 = "/openapi/v3/";
const yearMs = 365 * 24 * 3_600_000;

interface Document {
  readonly body: string | Buffer;
  readonly tag: string;
}

interface GroupVersionDocument extends Document {
  readonly kinds: readonly ResourceKind[];
}

export class OpenApiDocuments {
  readonly #kinds: KindRegistry;
  readonly #documents = new Map<string, GroupVersionDocument>();
  #generation = -1;
  #groupVersions = new Map<string, ResourceKind[]>();
  #swagger: Document | undefined;
  #swaggerProtobuf: Document | undefined;

  constructor(kinds: KindRegistry) {
    this.#kinds = kinds;
  }

  serve(request: IncomingMessage, response: ServerResponse, url: URL): void {
    if (request.method !== "GET") throw methodNotAllowed();
    this.#refresh();
    const { pathname } = url;
    const isV2 = pathname === "/openapi/v2";
    const form = acceptedForm(request.headers.accept, isV2);
    if (isV2) this.#serveV2(request, response, form);
    else if (pathname === "/openapi/v3") send(request, response, this.#index(), {});
    else this.#serveGroupVersion(request, response, url);
  }

  #serveV2(request: IncomingMessage, response: ServerResponse, form: "json" | "protobuf"): void {
    if (form === "json") {
      this.#swagger ??= tagged(JSON.stringify(toSwagger(this.#published(), info)));
      send(request, response, this.#swagger, {});
      return;
    }
    this.#swaggerProtobuf ??= tagged(toSwaggerProtobuf(this.#published(), info));
    const type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    send(request, response, this.#swaggerProtobuf, { "content-type": type });
  }

  /** What is asked for under its hash never changes; under another hash the client is sent to the right one. */
  #serveGroupVersion(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const path = url.pathname.slice(rootV3.length);
    const document = this.#document(path);
    if (document === undefined) throw pathNotFound();
    const asked = url.searchParams.get("hash") ?? "";
    if (asked === "") {
      send(request, response, document, {});
      return;
    }
    if (asked !== document.tag) {
      response.writeHead(301, { location: `${rootV3}${path}?hash=${document.tag}`, etag: `"${document.tag}"` }).end();
      return;
    }
    const expires = new Date(Date.now() + yearMs).toUTCString();
    send(request, response, document, { "cache-control": "public, immutable", expires });
  }

  #refresh(): void {
    if (this.#generation === this.#kinds.generation) return;
    this.#generation = this.#kinds.generation;
    this.#groupVersions = new Map();
    for (const kind of this.#published()) {
      const path = openApiPathOf(kind.group, kind.version);
      this.#groupVersions.set(path, [...(this.#groupVersions.get(path) ?? []), kind]);
    }
    for (const path of this.#documents.keys()) if (!this.#groupVersions.has(path)) this.#documents.delete(path);
    this.#swagger = undefined;
    this.#swaggerProtobuf = undefined;
  }

  #published(): readonly ResourceKind[] {
    return [...this.#kinds.all(), ...reviewKinds()];
  }

  #index(): Document {
    const paths: Record<string, { serverRelativeURL: string }> = {};
    for (const path of this.#groupVersions.keys())
      paths[path] = { serverRelativeURL: `${rootV3}${path}?hash=${this.#document(path)?.tag}` };
    return tagged(JSON.stringify({ paths }));
  }

  #document(path: string): Document | undefined {
    const kinds = this.#groupVersions.get(path);
    if (kinds === undefined) return undefined;
    const known = this.#documents.get(path);
    if (known !== undefined && sameKinds(known.kinds, kinds)) return known;
    const schemas = componentSchemas(kinds);
    const body = JSON.stringify({ openapi: "3.0.0", info, paths: openApiPaths(kinds), components: { schemas } });
    const document = { ...tagged(body), kinds };
    this.#documents.set(path, document);
    return document;
  }
}

function sameKinds(a: readonly ResourceKind[], b: readonly ResourceKind[]): boolean {
  return a.length === b.length && a.every((kind, index) => kind === b[index]);
}

function tagged(body: string | Buffer): Document {
  return { body, tag: createHash("sha512").update(body).digest("hex").toUpperCase() };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { body, tag }: Document,
  headers: Readonly<Record<string, string>>,
): void {
  const common = { "cache-control": "no-cache, private", etag: `"${tag}"`, vary: "Accept", ...headers };
  if (request.headers["if-none-match"] === `"${tag}"`) {
    response.writeHead(304, common).end();
    return;
  }
  const type = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  response.writeHead(200, { ...type, ...common }).end(body);
}

/** The first of the listed media ranges that this server can answer decides. */
function acceptedForm(accept: string | undefined, isV2: boolean): "json" | "protobuf" {
  const ranges = (accept || "*/*").split(",").map((range) => range.split(";")[0]?.trim() ?? "");
  for (const range of ranges) {
    if (range === "application/json" || range === "*/*" || range === "application/*") return "json";
    if (isV2 && range === swaggerProtobufType) return "protobuf";
  }
  throw notAcceptable(["application/json", ...(isV2 ? [swaggerProtobufType] : [])]);
}
