/**
 * The `authorizer` of admission policies: what may the user of a request, or a service account, do? Its checks are built
 * step by step and ask the server's own authorizer. Registered by `policy-environment.ts`.
 */
import type { Environment } from "@marcbachmann/cel-js";
import type { AccessAttributes, Authorizer, Decision, ResourceAttributes } from "../authorization/authorizer.ts";
import { authenticatedGroup, type UserInfo } from "../authorization/user-info.ts";

interface Asker {
  readonly authorizer: Authorizer;
  readonly user: UserInfo;
}

/** What CEL knows as `kubernetes.authorization.Authorizer`. */
export class CelAuthorizer {
  readonly requestResource: ResourceCheck;
  readonly #asker: Asker;

  constructor(asker: Asker, request: ResourceAttributes) {
    this.#asker = asker;
    this.requestResource = new ResourceCheck(asker, request);
  }

  path(path: string): PathCheck {
    if (path === "") throw new Error("path must not be empty");
    return new PathCheck(this.#asker, path);
  }

  group(group: string): GroupCheck {
    return new GroupCheck(this.#asker, group);
  }

  serviceAccount(namespace: string, name: string): CelAuthorizer {
    const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, authenticatedGroup];
    const user: UserInfo = { username: `system:serviceaccount:${namespace}:${name}`, groups };
    return new CelAuthorizer({ ...this.#asker, user }, noResource);
  }
}

const noResource: ResourceAttributes = { verb: "", group: "", resource: "", subresource: "", name: "", namespace: "" };

class PathCheck {
  readonly #asker: Asker;
  readonly #path: string;

  constructor(asker: Asker, path: string) {
    this.#asker = asker;
    this.#path = path;
  }

  check(verb: string): AccessDecision {
    return decide(this.#asker, { verb, path: this.#path });
  }
}

class GroupCheck {
  readonly #asker: Asker;
  readonly #group: string;

  constructor(asker: Asker, group: string) {
    this.#asker = asker;
    this.#group = group;
  }

  resource(resource: string): ResourceCheck {
    return new ResourceCheck(this.#asker, { ...noResource, group: this.#group, resource });
  }
}

class ResourceCheck {
  readonly #asker: Asker;
  readonly #attributes: ResourceAttributes;

  constructor(asker: Asker, attributes: ResourceAttributes) {
    this.#asker = asker;
    this.#attributes = attributes;
  }

  with(more: Partial<ResourceAttributes>): ResourceCheck {
    return new ResourceCheck(this.#asker, { ...this.#attributes, ...more });
  }

  check(verb: string): AccessDecision {
    return decide(this.#asker, { ...this.#attributes, verb });
  }
}

class AccessDecision {
  readonly decision: Decision;

  constructor(decision: Decision) {
    this.decision = decision;
  }
}

function decide({ authorizer, user }: Asker, attributes: AccessAttributes): AccessDecision {
  return new AccessDecision(authorizer.authorize(user, attributes));
}

const prefix = "kubernetes.authorization";

export function registerAuthorizer(environment: Environment): void {
  const check = `${prefix}.ResourceCheck`;
  const decision = `${prefix}.Decision`;
  environment
    .registerType(decision, AccessDecision)
    .registerType(`${prefix}.PathCheck`, PathCheck)
    .registerType(check, ResourceCheck)
    .registerType(`${prefix}.GroupCheck`, GroupCheck)
    .registerType(`${prefix}.Authorizer`, { ctor: CelAuthorizer, fields: { requestResource: check } })
    .registerVariable("authorizer", `${prefix}.Authorizer`);
  const method = (signature: string, run: (target: never, ...args: never[]) => unknown) =>
    environment.registerFunction(signature, run as never);
  method(`${prefix}.Authorizer.path(string): ${prefix}.PathCheck`, (a: CelAuthorizer, path: string) => a.path(path));
  method(`${prefix}.Authorizer.group(string): ${prefix}.GroupCheck`, (a: CelAuthorizer, group: string) =>
    a.group(group),
  );
  method(
    `${prefix}.Authorizer.serviceAccount(string, string): ${prefix}.Authorizer`,
    (a: CelAuthorizer, namespace: string, name: string) => a.serviceAccount(namespace, name),
  );
  method(`${prefix}.GroupCheck.resource(string): ${check}`, (group: GroupCheck, name: string) => group.resource(name));
  for (const field of ["subresource", "namespace", "name"])
    method(`${check}.${field}(string): ${check}`, (one: ResourceCheck, value: string) => one.with({ [field]: value }));
  // Selectors narrow a request further; rules of roles do not know them.
  for (const selector of ["fieldSelector", "labelSelector"])
    method(`${check}.${selector}(string): ${check}`, (one: ResourceCheck) => one);
  method(`${check}.check(string): ${decision}`, (one: ResourceCheck, verb: string) => one.check(verb));
  method(`${prefix}.PathCheck.check(string): ${decision}`, (one: PathCheck, verb: string) => one.check(verb));
  method(`${decision}.allowed(): bool`, (one: AccessDecision) => one.decision.allowed);
  method(`${decision}.reason(): string`, (one: AccessDecision) => one.decision.reason);
  method(`${decision}.errored(): bool`, () => false);
  method(`${decision}.error(): string`, () => "");
}
