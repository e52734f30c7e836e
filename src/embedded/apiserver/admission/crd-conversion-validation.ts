/** The conversion of a custom resource definition: its strategy, and the webhook where there is one. Pure. */
import { asArray, asObject, asString, type JsonObject } from "../json-value.ts";
import { checkServiceName } from "../registry/names.ts";
import { cause, type StatusCause } from "../status.ts";
import { checkClientConfig } from "./webhook-client-config.ts";

const path = "spec.conversion";
const recognized = ["v1", "v1beta1"];

export function checkConversion(conversion: JsonObject): StatusCause[] {
  const strategy = asString(conversion.strategy);
  if (strategy === "") return [cause.required(`${path}.strategy`)];
  if (strategy !== "None" && strategy !== "Webhook")
    return [cause.unsupported(`${path}.strategy`, strategy, ["None", "Webhook"])];
  const webhook = asObject(conversion.webhook);
  if (strategy === "Webhook") return checkWebhook(webhook);
  if (conversion.webhook === undefined) return [];
  return [cause.forbidden(`${path}.webhookClientConfig`, "should not be set when strategy is not set to Webhook")];
}

function checkWebhook(webhook: JsonObject): StatusCause[] {
  const findings =
    webhook.clientConfig === undefined
      ? [cause.required(`${path}.webhookClientConfig`, "required when strategy is set to Webhook")]
      : checkClientConfig(asObject(webhook.clientConfig), `${path}.webhookClientConfig`);
  return [...findings, ...checkReviewVersions(asArray(webhook.conversionReviewVersions).map(asString))];
}

function checkReviewVersions(versions: readonly string[]): StatusCause[] {
  const where = `${path}.conversionReviewVersions`;
  if (versions.length === 0) return [cause.required(where)];
  const findings = versions.flatMap((version, index) => {
    if (versions.indexOf(version) < index) return [cause.invalid(`${where}[${index}]`, version, "duplicate version")];
    const problem = checkServiceName(version);
    return problem === undefined ? [] : [cause.invalid(`${where}[${index}]`, version, problem)];
  });
  if (versions.some((version) => recognized.includes(version))) return findings;
  return [...findings, cause.invalid(where, versions, `must include at least one of ${recognized.join(", ")}`)];
}
