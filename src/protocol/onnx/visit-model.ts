/**
 * Goes through all that a model file holds, subgraphs and local functions included, without running any of it. The file may be
 * anybody's: depth and counts are bounded. Pure. Field numbers are those of onnx.proto.
 */
import { InferiumError } from "../../base/errors.ts";
import { bytesOf, type Field, type Fields, integersOf, messagesOf, readFields, stringsOf } from "./wire-format.ts";

export interface VisitedNode {
  /** `ai.onnx` where it names none. */
  readonly domain: string;
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Fields[];
}

export interface VisitedConstant {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly bigint[];
  readonly fields: Fields;
  readonly isExternal: boolean;
}

export interface Visitor {
  node(node: VisitedNode): void;
  constant(constant: VisitedConstant): void;
  /** A value whose type is told: an input, an output or one in between. */
  value(fields: Fields): void;
}

export interface ModelParts {
  readonly model: Fields;
  readonly graph: Fields;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  /** `domain.name` of each. */
  readonly functions: readonly string[];
}

const maxDepth = 16;
const maxNodes = 200_000;

/** @throws InferiumError InvalidModel */
export function openModel(bytes: Uint8Array): ModelParts {
  const model = readFields(bytes);
  const [graph] = messagesOf(model, 7);
  if (graph === undefined) throw new InferiumError("InvalidModel", "The model holds no graph. Expected an ONNX file.");
  const opsets = messagesOf(model, 8).map((opset) => ({
    domain: domainOf(stringsOf(opset, 1)[0]),
    version: Number(integersOf(opset, 2)[0] ?? 0n),
  }));
  const functions = messagesOf(model, 25).map(
    (fields) => `${domainOf(stringsOf(fields, 10)[0])}.${stringsOf(fields, 1)[0] ?? ""}`,
  );
  return { model, graph, opsets, functions };
}

/** @throws InferiumError InvalidModel, TooComplex */
export function visitModel({ model, graph }: ModelParts, visitor: Visitor): void {
  const walk: Walk = { visitor, nodes: 0 };
  visitGraph(graph, walk, 0);
  for (const body of messagesOf(model, 25)) visitNodes(messagesOf(body, 7), walk, 0);
}

interface Walk {
  readonly visitor: Visitor;
  nodes: number;
}

function visitGraph(graph: Fields, walk: Walk, depth: number): void {
  if (depth > maxDepth) throw tooComplex(`nests graphs deeper than ${maxDepth}`);
  for (const constant of messagesOf(graph, 5)) visitConstant(constant, walk);
  for (const sparse of messagesOf(graph, 15)) visitSparse(sparse, walk);
  for (const number of [11, 12, 13]) for (const value of messagesOf(graph, number)) walk.visitor.value(value);
  visitNodes(messagesOf(graph, 1), walk, depth);
}

function visitNodes(nodes: readonly Fields[], walk: Walk, depth: number): void {
  for (const fields of nodes) {
    walk.nodes += 1;
    if (walk.nodes > maxNodes) throw tooComplex(`has more than ${maxNodes} nodes`);
    const attributes = messagesOf(fields, 5);
    const outputs = stringsOf(fields, 2);
    walk.visitor.node({
      domain: domainOf(stringsOf(fields, 7)[0]),
      opType: stringsOf(fields, 4)[0] ?? "",
      inputs: stringsOf(fields, 1),
      outputs,
      attributes,
    });
    for (const attribute of attributes) visitAttribute(attribute, outputs[0] ?? "", walk, depth);
  }
}

/** A tensor of a Constant is known by the node's output. */
function visitAttribute(attribute: Fields, output: string, walk: Walk, depth: number): void {
  for (const number of [5, 10])
    for (const constant of messagesOf(attribute, number)) visitConstant(constant, walk, output);
  for (const number of [22, 23]) for (const sparse of messagesOf(attribute, number)) visitSparse(sparse, walk);
  for (const number of [6, 11]) for (const graph of messagesOf(attribute, number)) visitGraph(graph, walk, depth + 1);
}

function visitSparse(sparse: Fields, walk: Walk): void {
  for (const number of [1, 2]) for (const part of messagesOf(sparse, number)) visitConstant(part, walk);
}

function visitConstant(fields: Fields, { visitor }: Walk, output?: string): void {
  visitor.constant({
    name: output ?? stringsOf(fields, 8)[0] ?? "",
    type: Number(integersOf(fields, 2)[0] ?? 0n),
    dims: integersOf(fields, 1),
    fields,
    isExternal: fields.has(13) || integersOf(fields, 14).some((location) => location !== 0n),
  });
}

export interface ValueType {
  readonly name: string;
  readonly type: number;
  /** A text for a dimension that is left open; undefined where the file tells no shape. */
  readonly shape: readonly (bigint | string)[] | undefined;
}

/** Undefined where it is no tensor: a sequence, a map or an optional. */
export function readValueType(fields: Fields): ValueType | undefined {
  const [type] = messagesOf(fields, 2);
  const [tensor] = type === undefined ? [] : messagesOf(type, 1);
  if (tensor === undefined) return undefined;
  const [shape] = messagesOf(tensor, 2);
  return {
    name: stringsOf(fields, 1)[0] ?? "",
    type: Number(integersOf(tensor, 1)[0] ?? 0n),
    shape: shape && messagesOf(shape, 1).map((dim) => integersOf(dim, 1)[0] ?? stringsOf(dim, 2)[0] ?? "?"),
  };
}

/** Numbers that a constant holds, whichever of the format's fields they stand in. */
export function countElements({ fields }: Pick<VisitedConstant, "fields">): {
  readonly raw: number;
  readonly listed: number;
} {
  const raw = bytesOf(fields, 9).reduce((sum, bytes) => sum + bytes.byteLength, 0);
  const listed =
    fixedWidth(fields.get(4), 4) +
    fixedWidth(fields.get(10), 8) +
    (fields.get(6)?.length ?? 0) +
    [5, 7, 11].reduce((sum, number) => sum + countVarints(fields.get(number)), 0);
  return { raw, listed };
}

function fixedWidth(values: readonly Field[] | undefined, width: number): number {
  return (values ?? []).reduce<number>(
    (sum, value) => sum + (typeof value === "bigint" ? 1 : value.byteLength / width),
    0,
  );
}

function countVarints(values: readonly Field[] | undefined): number {
  return (values ?? []).reduce<number>((sum, value) => {
    if (typeof value === "bigint") return sum + 1;
    let count = 0;
    for (const byte of value) if (byte < 0x80) count += 1;
    return sum + count;
  }, 0);
}

function domainOf(text: string | undefined): string {
  return text === undefined || text === "" ? "ai.onnx" : text;
}

function tooComplex(what: string): InferiumError {
  return new InferiumError("TooComplex", `The model ${what}; no such model is checked here.`);
}
