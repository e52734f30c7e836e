/** How a webhook is reached: by a URL or by a service, never both. For conversion and admission webhooks. Pure. */
import { asObject, asString, type JsonObject } from "../json-value.ts";
import { cause, type StatusCause } from "../status.ts";

export function checkClientConfig(config: JsonObject, path: string): StatusCause[] {
  const { url, service } = config;
  if ((url === undefined) === (service === undefined))
    return [cause.required(path, "exactly one of url or service is required")];
  return url === undefined
    ? checkService(asObject(service), `${path}.service`)
    : checkUrl(asString(url), `${path}.url`);
}

const form = "; desired format: https://host[/path]";

function checkUrl(text: string, path: string): StatusCause[] {
  if (!URL.canParse(text)) return [cause.required(path, `url must be a valid URL: ${text}${form}`)];
  const url = new URL(text);
  const findings: StatusCause[] = [];
  const add = (got: string, detail: string) => findings.push(cause.invalid(path, got, detail));
  if (url.protocol !== "https:") add(url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`);
  if (url.host === "") add("", `host must be specified${form}`);
  if (url.username !== "") add(url.username, "user information is not permitted in the URL");
  if (url.hash !== "") add(url.hash.slice(1), "fragments are not permitted in the URL");
  if (url.search !== "") add(url.search.slice(1), "query parameters are not permitted in the URL");
  return findings;
}

function checkService(service: JsonObject, path: string): StatusCause[] {
  const findings = ["name", "namespace"]
    .filter((field) => asString(service[field]) === "")
    .map((field) => cause.required(`${path}.${field}`));
  const port = service.port ?? 443;
  if (typeof port !== "number" || port < 1 || port > 65535)
    findings.push(cause.invalid(`${path}.port`, port, "port is not valid: must be between 1 and 65535, inclusive"));
  const route = asString(service.path);
  if (route !== "" && !route.startsWith("/"))
    findings.push(cause.invalid(`${path}.path`, route, "must start with a '/'"));
  return findings;
}
