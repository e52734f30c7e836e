/** The Kubernetes URL library. Registered by `environment.ts`. */
import type { Environment } from "@marcbachmann/cel-js";

class CelUrl {
  readonly text: string;
  readonly url: URL;

  constructor(text: string) {
    this.text = text;
    this.url = new URL(text, "relative://");
  }

  get isAbsolute(): boolean {
    return this.url.protocol !== "relative:";
  }

  compare(other: CelUrl): number {
    return this.text.localeCompare(other.text);
  }
}

/** Absolute URIs and absolute paths, as Go's `url.ParseRequestURI` takes them. */
export function isRequestUri(text: string): boolean {
  if (/\p{Cc}/u.test(text)) return false;
  return text.startsWith("/") || (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && URL.canParse(text));
}

export function registerUrls(environment: Environment): void {
  const parse = (text: string) => {
    if (!isRequestUri(text)) throw new Error(`URL parse error during conversion from string: invalid URI ${text}`);
    return new CelUrl(text);
  };
  const query = (url: CelUrl) => {
    const names = [...new Set(url.url.searchParams.keys())];
    return Object.fromEntries(names.map((name) => [name, url.url.searchParams.getAll(name)]));
  };
  const part = (read: (url: URL) => string) => (url: CelUrl) => read(url.url);
  environment
    .registerType("URL", CelUrl)
    .registerFunction("url(string): URL", parse)
    .registerFunction("isURL(string): bool", isRequestUri)
    .registerFunction("URL.getScheme(): string", (url: CelUrl) => (url.isAbsolute ? url.url.protocol.slice(0, -1) : ""))
    .registerFunction(
      "URL.getHost(): string",
      part((url) => url.host),
    )
    .registerFunction(
      "URL.getHostname(): string",
      part((url) => url.hostname.replace(/^\[|\]$/g, "")),
    )
    .registerFunction(
      "URL.getPort(): string",
      part((url) => url.port),
    )
    .registerFunction("URL.getEscapedPath(): string", (url: CelUrl) => escapedPath(url))
    .registerFunction("URL.getQuery(): map<string, list<string>>", query)
    .registerOperator("URL == URL", (a: CelUrl, b: CelUrl) => a.text === b.text);
}

function escapedPath(url: CelUrl): string {
  const written = /^(?:[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)/.exec(url.text)?.[1] ?? "";
  return written === "" ? "" : url.url.pathname;
}
