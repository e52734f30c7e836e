/** The 403 for an access that nothing allows, in the words of a Kubernetes API server. Pure. */
import { failure, type StatusDetails, type StatusError } from "../status.ts";
import { type AccessAttributes, isPathAccess, type ResourceAttributes } from "./authorizer.ts";
import type { UserInfo } from "./user-info.ts";

export function forbiddenAccess(user: UserInfo, attributes: AccessAttributes, reason = ""): StatusError {
  const denial = sanitize(describeDenial(user, attributes));
  const why = reason === "" ? denial : `${denial}: ${reason}`;
  if (isPathAccess(attributes)) return failure(403, "Forbidden", `forbidden: ${why}`, {});
  const { group, resource, name } = attributes;
  const qualified = group === "" ? resource : `${resource}.${group}`;
  const subject = name === "" ? qualified : `${qualified} ${JSON.stringify(name)}`;
  return failure(403, "Forbidden", `${subject} is forbidden: ${why}`, detailsOf(attributes));
}

function detailsOf({ name, group, resource }: ResourceAttributes): StatusDetails {
  return { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource };
}

function describeDenial(user: UserInfo, attributes: AccessAttributes): string {
  const who = `User ${JSON.stringify(user.username)}`;
  if (isPathAccess(attributes)) return `${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`;
  const { verb, resource, subresource, group, namespace } = attributes;
  const what = JSON.stringify(subresource === "" ? resource : `${resource}/${subresource}`);
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} cannot ${verb} resource ${what} in API group ${JSON.stringify(group)} ${where}`;
}

/** Browsers must not take an error for HTML. */
function sanitize(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
