/** What the client wants back: an object, a Table, metadata only, or aggregated discovery; in JSON or YAML. Pure. */
import { notAcceptable } from "../status.ts";

export type ResponseForm = "object" | "table" | "metadata" | "metadata-list" | "discovery";

const forms: Readonly<Record<string, ResponseForm>> = {
  Table: "table",
  PartialObjectMetadata: "metadata",
  PartialObjectMetadataList: "metadata-list",
  APIGroupDiscoveryList: "discovery",
};

const supportedVersions: Readonly<Record<string, string>> = {
  discovery: "v2",
  table: "v1",
  metadata: "v1",
  "metadata-list": "v1",
};

export interface Negotiated {
  readonly form: ResponseForm;
  readonly isYaml: boolean;
}

const jsonRanges: ReadonlySet<string> = new Set(["application/json", "*/*", "application/*"]);
const yamlType = "application/yaml";

/** The first acceptable media range decides, in the order the client lists them. */
export function negotiate(accept: string | undefined): Negotiated {
  const ranges = (accept === undefined || accept === "" ? "*/*" : accept).split(",").map((range) => range.trim());
  for (const range of ranges) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const isYaml = type === yamlType;
    if (!isYaml && !jsonRanges.has(type)) continue;
    const as = parameterOf(parameters, "as");
    if (as === undefined) return { form: "object", isYaml };
    const form = forms[as];
    if (form !== undefined && parameterOf(parameters, "v") === supportedVersions[form]) return { form, isYaml };
  }
  throw notAcceptable(["application/json", yamlType, "application/vnd.kubernetes.protobuf"]);
}

function parameterOf(parameters: readonly string[], name: string): string | undefined {
  return parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
}
