/** Reads a request for `exec` or `attach`: its path and query, as an API server sends them to a kubelet. Pure. */
export interface StreamRequest {
  readonly kind: "exec" | "attach";
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** `undefined` for another path. A pod's uid may stand between its name and the container, as API servers may write it. */
export function parseStreamRequest(url: URL): StreamRequest | undefined {
  const match = /^\/(exec|attach)\/([^/]+)\/([^/]+)(?:\/[^/]+)?\/([^/]+)$/.exec(url.pathname);
  if (match === null) return undefined;
  const [namespace = "", pod = "", container = ""] = match.slice(2).map(decodeURIComponent);
  const is = (name: string) => ["1", "true"].includes(url.searchParams.get(name) ?? "");
  const tty = is("tty");
  return {
    kind: match[1] === "exec" ? "exec" : "attach",
    ...{ namespace, pod, container, tty },
    command: url.searchParams.getAll("command"),
    stdin: is("input"),
    stdout: is("output"),
    // A terminal has one output.
    stderr: is("error") && !tty,
  };
}
