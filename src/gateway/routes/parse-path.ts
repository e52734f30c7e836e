/** Which resource a URL names, for the model server and the gateway. Pure. */
export type Path =
  | { readonly kind: "oip-server"; readonly verb: "metadata" | "live" | "ready" }
  | {
      readonly kind: "oip-model";
      readonly verb: "metadata" | "ready" | "infer";
      readonly model: string;
      readonly version: string | undefined;
    }
  | { readonly kind: "openai-models"; readonly model: string | undefined }
  | { readonly kind: "openai-call"; readonly path: OpenAiPath }
  | { readonly kind: "receipt-key" }
  | { readonly kind: "window"; readonly windowId: string; readonly index: number | undefined }
  | { readonly kind: "none" };

export type OpenAiPath = "/v1/chat/completions" | "/v1/completions" | "/v1/embeddings";
const openAiPaths: ReadonlySet<string> = new Set(["/v1/chat/completions", "/v1/completions", "/v1/embeddings"]);
const isOpenAiPath = (path: string): path is OpenAiPath => openAiPaths.has(path);

const modelPattern = /^\/v2\/models\/([^/]{1,512})(?:\/versions\/([^/]{1,128}))?(?:\/(infer|ready))?\/?$/;
const windowPattern = /^\/inferium\/v1\/windows\/(0x[0-9a-f]{64})(?:\/calls\/([0-9]{1,9}))?$/;

export function parsePath(url: string): Path {
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  if (path.startsWith("/v2")) return parseOip(path);
  if (isOpenAiPath(path)) return { kind: "openai-call", path };
  if (path === "/v1/models") return { kind: "openai-models", model: undefined };
  if (path.startsWith("/v1/models/")) return named(path.slice("/v1/models/".length));
  if (path === "/inferium/v1/receipt-key") return { kind: "receipt-key" };
  const [, windowId, index] = windowPattern.exec(path) ?? [];
  if (windowId === undefined) return { kind: "none" };
  return { kind: "window", windowId, index: index === undefined ? undefined : Number(index) };
}

function parseOip(path: string): Path {
  if (path === "/v2" || path === "/v2/") return { kind: "oip-server", verb: "metadata" };
  if (path === "/v2/health/live") return { kind: "oip-server", verb: "live" };
  if (path === "/v2/health/ready") return { kind: "oip-server", verb: "ready" };
  const [, name, version, verb] = modelPattern.exec(path) ?? [];
  const model = name === undefined ? undefined : decode(name);
  const decoded = version === undefined ? undefined : decode(version);
  if (model === undefined || (version !== undefined && decoded === undefined)) return { kind: "none" };
  return { kind: "oip-model", model, version: decoded, verb: verb === "infer" || verb === "ready" ? verb : "metadata" };
}

function named(text: string): Path {
  const model = decode(text);
  return model === undefined ? { kind: "none" } : { kind: "openai-models", model };
}

/** Undefined where the escapes are no UTF-8. */
function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
