/** What the client wants back: plain JSON, a Table, metadata only, or aggregated discovery. Only JSON is spoken. Pure. */
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

/** The first acceptable media range decides, in the order the client lists them. */
export function negotiate(accept: string | undefined): ResponseForm {
  const ranges = (accept === undefined || accept === "" ? "*/*" : accept).split(",").map((range) => range.trim());
  for (const range of ranges) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    if (type !== "application/json" && type !== "*/*" && type !== "application/*") continue;
    const as = parameterOf(parameters, "as");
    if (as === undefined) return "object";
    const form = forms[as];
    if (form !== undefined && parameterOf(parameters, "v") === supportedVersions[form]) return form;
  }
  throw notAcceptable(["application/json"]);
}

function parameterOf(parameters: readonly string[], name: string): string | undefined {
  return parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
}
