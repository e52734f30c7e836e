/**
 * Secrets of type `kubernetes.io/service-account-token`: fills in the token of the account that each names, and removes
 * those whose account is gone. Effects: updates and deletions of secrets.
 */
import { describeError } from "../../../base/errors.ts";
import { asObject, asString } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import { type ApiContext, internalWrite } from "../operations/context.ts";
import { deleteObject } from "../operations/delete.ts";
import { backgroundDeletion } from "../operations/delete-options.ts";
import { updateObject } from "../operations/update.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";
import { WorkQueue } from "./work-queue.ts";

const tokenType = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

export class TokenSecretController {
  readonly #context: ApiContext;
  readonly #caPem: string;
  readonly #tokens: ServiceAccountTokens;
  readonly #queue: WorkQueue;
  readonly #stops: Array<() => void>;

  constructor(context: ApiContext, using: { readonly caPem: string; readonly tokens: ServiceAccountTokens }) {
    this.#context = context;
    this.#caPem = using.caPem;
    this.#tokens = using.tokens;
    this.#queue = new WorkQueue(
      (key) => this.#reconcile(key),
      (key, error) => context.logger.error("token secret failed", { secret: key, error: describeError(error) }),
    );
    const { store } = context;
    for (const item of store.list("secrets").items) this.#queue.add(item.key);
    this.#stops = [
      store.watch("secrets", store.revision(), (event) => this.#queue.add(event.current.key)),
      store.watch("serviceaccounts", store.revision(), (event) => this.#onAccount(event.current.object)),
    ];
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#queue.stop();
  }

  #onAccount({ metadata }: KubeObject): void {
    for (const item of this.#context.store.list("secrets", { namespace: metadata.namespace ?? "" }).items)
      if (item.object.type === tokenType) this.#queue.add(item.key);
  }

  #reconcile(key: string): void {
    const { store, kinds } = this.#context;
    const stored = store.get("secrets", key);
    const kind = kinds.find("", "v1", "secrets");
    if (stored === undefined || kind === undefined || stored.object.type !== tokenType) return;
    const secret = stored.object;
    const { name, namespace = "", annotations = {} } = secret.metadata;
    const target = { kind, namespace, name, subresource: "" };
    const account = store.get("serviceaccounts", `${namespace}/${annotations[nameAnnotation] ?? ""}`)?.object;
    const uid = annotations[uidAnnotation] ?? "";
    if (account === undefined || (uid !== "" && uid !== account.metadata.uid)) {
      deleteObject(this.#context, target, backgroundDeletion);
      return;
    }
    const candidate = this.#fill(secret, account);
    if (candidate === undefined) return;
    updateObject(this.#context, target, { old: stored, candidate }, internalWrite("kube-controller-manager"));
  }

  /** Undefined where nothing is missing. */
  #fill(secret: KubeObject, account: KubeObject): KubeObject | undefined {
    const data = asObject(secret.data);
    const uid = account.metadata.uid ?? "";
    const { name, namespace = "" } = account.metadata;
    const complete = ["token", "ca.crt", "namespace"].every((field) => asString(data[field]) !== "");
    if (complete && secret.metadata.annotations?.[uidAnnotation] === uid) return undefined;
    const encode = (text: string) => Buffer.from(text).toString("base64");
    const token =
      asString(data.token) || encode(this.#tokens.issueLegacy({ namespace, name, uid }, secret.metadata.name));
    const filled = { ...data, "ca.crt": encode(this.#caPem), namespace: encode(namespace), token };
    const metadata = { ...secret.metadata, annotations: { ...secret.metadata.annotations, [uidAnnotation]: uid } };
    return { ...secret, metadata, data: filled };
  }
}
