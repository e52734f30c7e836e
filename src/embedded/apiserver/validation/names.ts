/** Forms of names and paths below the metadata. Each check answers the detail of a finding, or undefined. Pure. */

const letterCase = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";

export function checkPortName(name: string): string | undefined {
  if (name.length > 15) return "must be no more than 15 characters";
  if (!/^[-a-z0-9]+$/.test(name)) return letterCase;
  if (!/[a-z]/.test(name)) return "must contain at least one letter (a-z)";
  if (name.includes("--")) return "must not contain consecutive hyphens";
  return /^-|-$/.test(name) ? "must not begin or end with a hyphen" : undefined;
}

export function checkPortNumber(port: number): string | undefined {
  return port >= 1 && port <= 65_535 ? undefined : "must be between 1 and 65535, inclusive";
}

export function checkPort(port: unknown): string | undefined {
  return typeof port === "string" ? checkPortName(port) : checkPortNumber(Number(port ?? 0));
}

export function checkVariableName(name: string): string | undefined {
  if (/^[ -<>-~]+$/.test(name)) return undefined;
  return "a valid environment variable name must consist only of printable ASCII characters other than '='";
}

export function checkConfigKey(key: string): string | undefined {
  if (key.length > 253) return "must be no more than 253 characters";
  if (key === "." || key === "..") return `must not be '${key}'`;
  if (key.startsWith("..")) return "must not start with '..'";
  if (/^[-._a-zA-Z0-9]+$/.test(key)) return undefined;
  return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
}

export function checkHeaderName(name: string): string | undefined {
  if (/^[-A-Za-z0-9]+$/.test(name)) return undefined;
  return "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
}

export function checkNoBacksteps(path: string): string | undefined {
  return path.split("/").includes("..") ? "must not contain '..'" : undefined;
}

export function checkLocalPath(path: string): string | undefined {
  return path.startsWith("/") ? "must be a relative path" : checkNoBacksteps(path);
}

export function checkUnreservedPath(path: string): string | undefined {
  return checkLocalPath(path) ?? (path.startsWith("..") ? "must not start with '..'" : undefined);
}

export function checkUserId(id: number): string | undefined {
  return id >= 0 && id <= 2_147_483_647 ? undefined : "must be between 0 and 2147483647, inclusive";
}

export function checkFileMode(mode: number): string | undefined {
  return mode >= 0 && mode <= 0o777 ? undefined : "must be a number between 0 and 0777 (octal), both inclusive";
}

export function checkPercent(text: string): string | undefined {
  if (/^[0-9]+%$/.test(text)) return undefined;
  return "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
}

export const isIpv4 = (text: string) =>
  /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split(".").every((part) => Number(part) < 256);
