/** What every operation needs: where objects are, which kinds exist, what time it is. Made once by `server.ts`. */
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/log.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import { serverUser, type UserInfo } from "../authorization/user-info.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { KindRegistry } from "../registry/kind-registry.ts";
import type { Store } from "../storage/store.ts";

export interface ApiContext {
  readonly store: Store;
  readonly kinds: KindRegistry;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type FieldValidation = "Ignore" | "Warn" | "Strict";

export interface WriteOptions {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** Collected here, sent as Warning headers. */
  readonly warnings: string[];
  /** What strict reading found in the body itself, such as `duplicate field "spec.foo"`. */
  readonly bodyComplaints?: readonly string[];
}

/** One object of one kind, as the path of a request names it. */
export interface Target {
  readonly kind: ResourceKind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: string;
}

export function keyOf(kind: ResourceKind, namespace: string | undefined, name: string): string {
  return kind.namespaced ? `${namespace ?? ""}/${name}` : name;
}

export const internalWrite = (fieldManager: string): WriteOptions => ({
  user: serverUser,
  dryRun: false,
  fieldManager,
  fieldValidation: "Ignore",
  warnings: [],
});
