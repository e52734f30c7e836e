/**
 * Role bindings by subject, kept up to date from the store, so that a decision looks at the bindings of one user and not
 * at all of them. Effects: watches two resources until `stop`.
 */
import { asArray, asObject, asString } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { Store, StoreEvent } from "../storage/store.ts";
import type { RoleReference } from "./authorizer.ts";
import type { UserInfo } from "./user-info.ts";

export const rbacStorage = {
  roles: "roles.rbac.authorization.k8s.io",
  roleBindings: "rolebindings.rbac.authorization.k8s.io",
  clusterRoles: "clusterroles.rbac.authorization.k8s.io",
  clusterRoleBindings: "clusterrolebindings.rbac.authorization.k8s.io",
} as const;

export interface Binding {
  readonly key: string;
  readonly name: string;
  /** Empty for cluster role bindings. */
  readonly namespace: string;
  readonly roleRef: RoleReference;
  /** As reasons name it: `Group "system:masters"`. */
  readonly subject: string;
}

type Subjects = Map<string, Binding[]>;

export class BindingIndex {
  /** By namespace, the empty one for cluster role bindings; then by subject. */
  readonly #byNamespace = new Map<string, Subjects>();
  readonly #stops: Array<() => void>;

  constructor(store: Store) {
    this.#stops = [rbacStorage.clusterRoleBindings, rbacStorage.roleBindings].map((resource) => {
      for (const item of store.list(resource).items) this.#add(item.key, item.object);
      return store.watch(resource, store.revision(), (event) => this.#onEvent(event));
    });
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /** Bindings of the cluster first, then those of the namespace. */
  *find(user: UserInfo, namespace: string): Generator<Binding> {
    for (const scope of namespace === "" ? [""] : ["", namespace]) {
      const subjects = this.#byNamespace.get(scope);
      if (subjects === undefined) continue;
      yield* subjects.get(`u:${user.username}`) ?? [];
      for (const group of user.groups) yield* subjects.get(`g:${group}`) ?? [];
    }
  }

  #onEvent(event: StoreEvent): void {
    // What a persistent store held is announced after this index has read it.
    this.#remove(event.current.key, event.current.object);
    if (event.previous !== undefined) this.#remove(event.previous.key, event.previous.object);
    if (event.type !== "DELETED") this.#add(event.current.key, event.current.object);
  }

  #add(key: string, object: KubeObject): void {
    const namespace = object.metadata.namespace ?? "";
    const subjects = this.#byNamespace.get(namespace) ?? new Map<string, Binding[]>();
    this.#byNamespace.set(namespace, subjects);
    const { kind, name } = asObject(object.roleRef);
    const roleRef = { kind: asString(kind), name: asString(name) };
    for (const value of asArray(object.subjects)) {
      const subject = readSubject(asObject(value), namespace);
      if (subject === undefined) continue;
      const binding = { key, name: object.metadata.name, namespace, roleRef, subject: subject.text };
      subjects.set(subject.id, [...(subjects.get(subject.id) ?? []), binding]);
    }
  }

  #remove(key: string, object: KubeObject): void {
    const namespace = object.metadata.namespace ?? "";
    const subjects = this.#byNamespace.get(namespace);
    for (const value of asArray(object.subjects)) {
      const subject = readSubject(asObject(value), namespace);
      if (subjects === undefined || subject === undefined) continue;
      const left = (subjects.get(subject.id) ?? []).filter((binding) => binding.key !== key);
      if (left.length > 0) subjects.set(subject.id, left);
      else subjects.delete(subject.id);
    }
  }
}

/** A service account is the user that its tokens authenticate as. */
function readSubject(
  { kind, name: given, namespace: own }: Record<string, unknown>,
  bindingNamespace: string,
): { id: string; text: string } | undefined {
  const name = asString(given);
  if (kind === "User") return { id: `u:${name}`, text: `User ${JSON.stringify(name)}` };
  if (kind === "Group") return { id: `g:${name}`, text: `Group ${JSON.stringify(name)}` };
  const namespace = asString(own) || bindingNamespace;
  if (kind !== "ServiceAccount" || namespace === "") return undefined;
  return { id: `u:system:serviceaccount:${namespace}:${name}`, text: `ServiceAccount "${name}/${namespace}"` };
}
