/** `format.named(...)` and `format.NAME().validate(...)`: the Kubernetes format library. Registered by `environment.ts`. */
import { type Environment, Optional } from "@marcbachmann/cel-js";
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkServiceName } from "../registry/names.ts";
import { qualifiedNameProblems } from "../registry/qualified-name.ts";
import { checkFormat } from "../schema/formats.ts";

type Check = (text: string) => string | undefined;

class FormatNamespace {}

class NamedFormat {
  readonly name: string;
  readonly check: Check;

  constructor(name: string, check: Check) {
    this.name = name;
    this.check = check;
  }
}

const prefixOf = (check: Check) => (text: string) => check(text.endsWith("-") ? `${text}a` : text);
const bySchema = (name: string, detail: string): Check => {
  return (text) => (checkFormat(name, text) ? undefined : detail);
};

const checks: Readonly<Record<string, Check>> = {
  dns1123Label: checkDnsLabel,
  dns1123Subdomain: checkDnsSubdomain,
  dns1035Label: checkServiceName,
  qualifiedName: (text) => qualifiedNameProblems(text)[0],
  dns1123LabelPrefix: prefixOf(checkDnsLabel),
  dns1123SubdomainPrefix: prefixOf(checkDnsSubdomain),
  dns1035LabelPrefix: prefixOf(checkServiceName),
  labelValue: checkLabelValue,
  uri: bySchema("uri", "invalid URI"),
  uuid: bySchema("uuid", "does not match the UUID format"),
  byte: bySchema("byte", "invalid base64"),
  date: bySchema("date", "invalid date"),
  datetime: bySchema("date-time", "invalid datetime"),
};

const formats = new Map(Object.entries(checks).map(([name, check]) => [name, new NamedFormat(name, check)]));

export function registerFormats(environment: Environment): void {
  environment
    .registerType("NamedFormat", NamedFormat)
    .registerType("FormatNamespace", FormatNamespace)
    .registerConstant("format", "FormatNamespace", new FormatNamespace())
    .registerFunction("FormatNamespace.named(string): optional<NamedFormat>", (_format: unknown, name: string) => {
      const known = formats.get(name);
      return known === undefined ? Optional.none() : Optional.of(known);
    })
    .registerFunction("NamedFormat.validate(string): optional<list<string>>", (format: NamedFormat, text: string) => {
      const problem = format.check(text);
      return problem === undefined ? Optional.none() : Optional.of([problem]);
    });
  for (const [name, known] of formats)
    environment.registerFunction(`FormatNamespace.${name}(): NamedFormat`, () => known);
}
