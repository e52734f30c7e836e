/**
 * Impersonation: who a request is made as. Constrained modes (`impersonate:MODE` on whom, and `impersonate-on:MODE:VERB`
 * on what) are tried before the old verb `impersonate`, which allows everything as that user. Throws a 403 with the first
 * denial where no mode allows it.
 */
import type { IncomingMessage } from "node:http";
import type { AccessAttributes, Authorizer } from "../authorization/authorizer.ts";
import { forbiddenAccess } from "../authorization/forbidden-access.ts";
import {
  authenticatedGroup,
  privilegedGroup,
  type UserInfo,
  unauthenticatedGroup,
} from "../authorization/user-info.ts";
import { badRequest, type StatusError } from "../status.ts";

const extraPrefix = "impersonate-extra-";
const authenticationGroup = "authentication.k8s.io";

interface Wanted {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** The user that the request is to be made as; the requestor where it names nobody. */
export function impersonate(
  authorizer: Authorizer,
  requestor: UserInfo,
  request: IncomingMessage,
  attributes: AccessAttributes,
): UserInfo {
  const wanted = readWanted(request);
  if (wanted === undefined) return requestor;
  let denial: StatusError | undefined;
  for (const mode of modesFor(wanted, requestor)) {
    const found = findDenial(authorizer, requestor, { wanted, mode, attributes });
    if (found === undefined) return buildUser(wanted, mode);
    denial ??= found;
  }
  throw denial ?? badRequest("no mode of impersonation applies");
}

function readWanted(request: IncomingMessage): Wanted | undefined {
  if (!namesSomebody(request)) return undefined;
  const { headersDistinct } = request;
  const username = headersDistinct["impersonate-user"]?.[0] ?? "";
  const uid = headersDistinct["impersonate-uid"]?.[0] ?? "";
  const groups = headersDistinct["impersonate-group"] ?? [];
  const extra: Record<string, readonly string[]> = {};
  for (const [header, values] of Object.entries(headersDistinct)) {
    if (header.startsWith(extraPrefix)) extra[decode(header.slice(extraPrefix.length))] = values ?? [];
  }
  if (username !== "") return { username, uid, groups, extra };
  if (uid === "" && groups.length === 0 && Object.keys(extra).length === 0) return undefined;
  throw badRequest(`requested ${JSON.stringify({ uid, groups, extra })} without impersonating a user name`);
}

function namesSomebody({ headers }: IncomingMessage): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

function decode(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

type Mode = "associated-node" | "arbitrary-node" | "serviceaccount" | "user-info" | "legacy";

function modesFor(wanted: Wanted, requestor: UserInfo): Mode[] {
  const onlyName = wanted.uid === "" && wanted.groups.length === 0 && Object.keys(wanted.extra).length === 0;
  const node = nodeOf(wanted.username);
  const account = accountOf(wanted.username);
  if (node !== undefined) {
    if (!onlyName) return ["legacy"];
    const own = requestor.extra?.["authentication.kubernetes.io/node-name"] ?? [];
    const associated = accountOf(requestor.username) !== undefined && own.length === 1 && own[0] === node;
    return associated ? ["associated-node", "arbitrary-node", "legacy"] : ["arbitrary-node", "legacy"];
  }
  if (account !== undefined) return onlyName ? ["serviceaccount", "legacy"] : ["legacy"];
  return ["user-info", "legacy"];
}

const nodeOf = (username: string): string | undefined =>
  /^system:node:([a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/.exec(username)?.[1];

function accountOf(username: string): { namespace: string; name: string } | undefined {
  const [, namespace, name] = /^system:serviceaccount:([-a-z0-9]+):([-a-z0-9.]+)$/.exec(username) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

interface Attempt {
  readonly wanted: Wanted;
  readonly mode: Mode;
  readonly attributes: AccessAttributes;
}

function findDenial(authorizer: Authorizer, requestor: UserInfo, attempt: Attempt): StatusError | undefined {
  const { mode, wanted } = attempt;
  for (const asked of accessesOf(attempt)) {
    const { allowed, reason } = authorizer.authorize(requestor, asked);
    if (!allowed) return forbiddenAccess(requestor, asked, reason);
  }
  if (mode === "legacy" || !wanted.groups.includes(privilegedGroup)) return undefined;
  const name = privilegedGroup;
  const asked = { ...whom(mode), resource: "groups", subresource: "", name, namespace: "" };
  return forbiddenAccess(requestor, asked, "impersonating the system:masters group is not allowed");
}

function whom(mode: Mode): { verb: string; group: string } {
  return mode === "legacy"
    ? { verb: "impersonate", group: "" }
    : { verb: `impersonate:${mode}`, group: authenticationGroup };
}

function* accessesOf({ wanted, mode, attributes }: Attempt): Generator<AccessAttributes> {
  if (mode !== "legacy") yield { ...attributes, verb: `impersonate-on:${mode}:${attributes.verb}` };
  const base = { ...whom(mode), subresource: "", namespace: "" };
  const account = accountOf(wanted.username);
  const node = nodeOf(wanted.username);
  if (account !== undefined) yield { ...base, resource: "serviceaccounts", ...account };
  else if (node !== undefined && mode !== "legacy")
    yield { ...base, resource: "nodes", name: mode === "associated-node" ? "*" : node };
  else yield { ...base, resource: "users", name: wanted.username };
  const authentication = { ...base, group: authenticationGroup };
  if (wanted.uid !== "") yield { ...authentication, resource: "uids", name: wanted.uid };
  for (const group of wanted.groups) yield { ...base, resource: "groups", name: group };
  for (const [key, values] of Object.entries(wanted.extra))
    for (const value of values) yield { ...authentication, resource: "userextras", subresource: key, name: value };
}

function buildUser(wanted: Wanted, mode: Mode): UserInfo {
  const { username, uid, extra } = wanted;
  const groups = [...impliedGroups(wanted, mode)];
  const add = username === "system:anonymous" ? unauthenticatedGroup : authenticatedGroup;
  if (!groups.includes(add) && !groups.includes(unauthenticatedGroup)) groups.push(add);
  return { username, ...(uid === "" ? {} : { uid }), groups, ...(Object.keys(extra).length === 0 ? {} : { extra }) };
}

/** Groups that a service account or a node always has, where none are named. */
function impliedGroups({ username, groups }: Wanted, mode: Mode): readonly string[] {
  if (groups.length > 0) return groups;
  const account = accountOf(username);
  if (account !== undefined) return ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`];
  return nodeOf(username) !== undefined && mode !== "legacy" ? ["system:nodes"] : [];
}
