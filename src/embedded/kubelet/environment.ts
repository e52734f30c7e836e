/**
 * The environment of one container, in the order of the Kubernetes API: envFrom, then env, each value able to refer to
 * those before it. Under it lie what the node, the image and the host give. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import type { Container, EnvVar, KeySelector, Pod } from "./core-types.ts";
import { expandVariables } from "./expansion.ts";
import { computeField, computeResourceField, type NodeFacts } from "./field-ref.ts";
import { type PodSources, requireSource } from "./sources.ts";

export type Environment = Readonly<Record<string, string>>;

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly sources: PodSources;
  readonly facts: NodeFacts;
}

/** Only what the pod declares: this is also what `$(VAR)` in command and args may refer to. */
export function buildDeclaredEnvironment(input: EnvironmentInput): Environment {
  const declared: Record<string, string> = {};
  for (const from of input.container.envFrom ?? []) {
    const data = new Map([
      ...(from.configMapRef === undefined ? [] : requireSource("configmap", from.configMapRef, input.sources)),
      ...(from.secretRef === undefined ? [] : requireSource("secret", from.secretRef, input.sources)),
    ]);
    for (const [key, value] of data) declare(declared, `${from.prefix ?? ""}${key}`, decodeText(value));
  }
  for (const variable of input.container.env ?? []) {
    const value = resolveVariable(variable, declared, input);
    if (value !== undefined) declare(declared, variable.name, value);
  }
  return declared;
}

function declare(declared: Record<string, string>, name: string, value: string): void {
  // A key with "=" or NUL cannot be a variable; the kubelet of Kubernetes leaves it out as well.
  if (name === "" || /[=\0]/.test(name)) return;
  declared[name] = value.replaceAll("\0", "");
}

/** `undefined` where an optional reference leads nowhere: the variable is then not set at all. */
function resolveVariable(variable: EnvVar, declared: Environment, input: EnvironmentInput): string | undefined {
  const from = variable.valueFrom;
  if (from === undefined) return expandVariables(variable.value ?? "", (name) => declared[name]);
  if (from.configMapKeyRef !== undefined) return readKey("configmap", from.configMapKeyRef, input.sources);
  if (from.secretKeyRef !== undefined) return readKey("secret", from.secretKeyRef, input.sources);
  if (from.fieldRef !== undefined) return computeField(from.fieldRef.fieldPath, input.pod, input.facts);
  if (from.resourceFieldRef !== undefined) {
    return computeResourceField(from.resourceFieldRef, input.container.name, input.pod, input.facts);
  }
  throw new InferiumError(
    "CreateContainerConfigError",
    `Variable '${variable.name}' has a valueFrom that this kubelet does not know: ${Object.keys(from).join(", ")}.`,
  );
}

function readKey(kind: "configmap" | "secret", reference: KeySelector, sources: PodSources): string | undefined {
  const value = requireSource(kind, reference, sources).get(reference.key);
  if (value !== undefined) return decodeText(value);
  if (reference.optional === true) return undefined;
  throw new InferiumError(
    "CreateContainerConfigError",
    `couldn't find key ${reference.key} in ${kind} "${reference.name}"`,
    {
      disposition: "retry",
    },
  );
}

function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
