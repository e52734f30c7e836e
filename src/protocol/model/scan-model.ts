/**
 * Reads a model file without running it, and says what it is made of and what speaks against it. Called in a process of its own:
 * the file may be anybody's. Every bound is a constant of the protocol, so that all validators find the same. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { elementsPerByte, isIntegerType, nameElementType } from "../onnx/element-types.ts";
import {
  countElements,
  openModel,
  readValueType,
  type ValueType,
  type VisitedConstant,
  type VisitedNode,
  visitModel,
} from "../onnx/visit-model.ts";
import { bytesOf, type Fields, integersOf, messagesOf, stringsOf } from "../onnx/wire-format.ts";
import type { ModelFindings, ModelProblem } from "./findings.ts";
import { byteProducts, integerOperators, knownDomains, randomOperators } from "./integer-operators.ts";

/** Numbers in one constant, or in one value whose whole shape the file tells. */
const maxElements = 2n ** 31n;
const maxListed = { operators: 256, values: 64, name: 256 } as const;

interface Range {
  readonly low: number;
  readonly high: number;
}

interface Scan {
  readonly operators: Map<string, number>;
  readonly domains: Set<string>;
  readonly problems: Map<string, ModelProblem>;
  /** Ranges of the int8 constants by name. */
  readonly bytes: Map<string, Range | "other">;
  readonly products: { readonly weights: string }[];
  nodes: number;
  parameters: number;
  hasFloats: boolean;
}

/** Never throws: what cannot be read is a problem of the model. */
export function scanModel(bytes: Uint8Array): ModelFindings {
  const scan: Scan = {
    ...{ operators: new Map(), domains: new Set(), problems: new Map(), bytes: new Map(), products: [] },
    ...{ nodes: 0, parameters: 0, hasFloats: false },
  };
  try {
    return readModel(bytes, scan);
  } catch (error) {
    const isOurs = error instanceof InferiumError;
    const reason = isOurs && error.code === "TooComplex" ? "TooComplex" : "Malformed";
    note(scan, reason, isOurs ? error.message : "The file cannot be read as ONNX. Export the model again.");
    return buildFindings(bytes.byteLength, scan, { opsets: [], inputs: [], outputs: [] });
  }
}

/** Of a file whose reading alone was too much. */
export function emptyFindings(bytes: number): ModelFindings {
  const none = { operators: [], opsets: [], inputs: [], outputs: [], problems: [] };
  return { bytes, nodes: 0, parameters: 0, ...none, integerOnly: false, weights: "None" };
}

function readModel(bytes: Uint8Array, scan: Scan): ModelFindings {
  const parts = openModel(bytes);
  const functions = new Set(parts.functions);
  visitModel(parts, {
    node: (node) => visitNode(scan, node, functions),
    constant: (constant) => visitConstant(scan, constant),
    value: (fields) => visitValue(scan, fields),
  });
  const constants = new Set(messagesOf(parts.graph, 5).map((fields) => stringsOf(fields, 8)[0] ?? ""));
  const inputs = readValues(parts.graph, 11).filter(({ name }) => !constants.has(name));
  const irVersion = Number(integersOf(parts.model, 1)[0] ?? 0n);
  // A model names the sets of whatever its exporter knew; those that its nodes use are what it depends on.
  const opsets = parts.opsets.filter(({ domain }) => scan.domains.has(domain) && knownDomains.has(domain));
  const unique = [...new Map(opsets.map((opset) => [opset.domain, opset])).values()].sort(byDomain);
  return buildFindings(bytes.byteLength, scan, {
    ...{ irVersion, opsets: unique, inputs, outputs: readValues(parts.graph, 12) },
  });
}

const byDomain = (a: { domain: string }, b: { domain: string }) => (a.domain < b.domain ? -1 : 1);

function visitNode(
  scan: Scan,
  { domain, opType, inputs, attributes }: VisitedNode,
  functions: ReadonlySet<string>,
): void {
  const name = domain === "ai.onnx" ? opType : `${domain}.${opType}`;
  scan.nodes += 1;
  // What a local function does is seen in its body.
  if (functions.has(`${domain}.${opType}`)) return;
  scan.domains.add(domain);
  // Names are cut here, so that no two of them are the same afterwards.
  const listed = name.slice(0, maxListed.name);
  scan.operators.set(listed, (scan.operators.get(listed) ?? 0) + 1);
  if (!knownDomains.has(domain)) {
    note(
      scan,
      "CustomDomain",
      `Operator ${show(name)} is of domain ${show(domain)}, which onnxruntime does not bring.`,
    );
  }
  if (!integerOperators.has(name)) scan.hasFloats = true;
  const weights = byteProducts.get(name);
  if (weights !== undefined) scan.products.push({ weights: inputs[weights] ?? "" });
  for (const attribute of attributes) readAttribute(scan, name, attribute);
  if (name === "ConstantOfShape" && attributes.length === 0) scan.hasFloats = true;
}

/** Lists of floats, and casts to them, make floats of integers. */
function readAttribute(scan: Scan, operator: string, attribute: Fields): void {
  const [name = ""] = stringsOf(attribute, 1);
  if (operator === "Constant" && (attribute.has(2) || attribute.has(7))) scan.hasFloats = true;
  if (name !== "to" && name !== "dtype") return;
  if (!isIntegerType(Number(integersOf(attribute, 3)[0] ?? 0n))) scan.hasFloats = true;
}

function visitConstant(scan: Scan, constant: VisitedConstant): void {
  const { name, type, dims } = constant;
  if (constant.isExternal) {
    note(scan, "ExternalData", `Constant ${show(name)} lies outside the file; its digest would cover nothing of it.`);
    return;
  }
  if (!isIntegerType(type)) scan.hasFloats = true;
  const elements = product(dims);
  if (elements === undefined) {
    note(scan, "GiantShape", `Constant ${show(name)} claims shape [${dims.slice(0, 8).join(",")}].`);
    return;
  }
  const { raw, listed } = countElements(constant);
  const most = listed + raw * elementsPerByte(type);
  if (elements > most) {
    const message = `Constant ${show(name)} claims ${elements} values; the file holds at most ${most} of them.`;
    note(scan, "Truncated", message);
    return;
  }
  scan.parameters += elements;
  const known = scan.bytes.get(name);
  // Subgraphs may use a name again: whichever of them the weights are, the widest counts.
  scan.bytes.set(name, type === 3 ? widest(rangeOf(constant), known) : (known ?? "other"));
}

function widest(range: Range, known: Range | "other" | undefined): Range {
  if (typeof known !== "object") return range;
  return { low: Math.min(range.low, known.low), high: Math.max(range.high, known.high) };
}

function rangeOf({ fields }: VisitedConstant): Range {
  let [low, high] = [0, 0];
  const add = (value: number) => {
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const raw of bytesOf(fields, 9)) for (const byte of raw) add(byte > 127 ? byte - 256 : byte);
  for (const value of integersOf(fields, 5)) add(Number(value));
  return { low, high };
}

function visitValue(scan: Scan, fields: Fields): void {
  const value = readValueType(fields);
  if (value === undefined) {
    scan.hasFloats = true;
    return;
  }
  if (!isIntegerType(value.type)) scan.hasFloats = true;
  const fixed = (value.shape ?? []).filter((size) => typeof size === "bigint");
  if (product(fixed) !== undefined) return;
  note(scan, "GiantShape", `Value ${show(value.name)} has type ${describe(value)}, more than ${maxElements} elements.`);
}

function readValues(graph: Fields, number: number): { name: string; type: string }[] {
  return messagesOf(graph, number).map((fields) => {
    const value = readValueType(fields);
    const name = (stringsOf(fields, 1)[0] ?? "").slice(0, maxListed.name);
    return { name, type: value === undefined ? "no tensor" : describe(value).slice(0, 512) };
  });
}

function describe({ type, shape }: ValueType): string {
  return `${nameElementType(type)}[${shape === undefined ? "..." : shape.slice(0, 16).join(",")}]`;
}

/** Undefined where it is negative or beyond all bounds. */
function product(dims: readonly bigint[]): number | undefined {
  let total = 1n;
  for (const size of dims) {
    if (size < 0n) return undefined;
    total *= size;
    if (total > maxElements) return undefined;
  }
  return Number(total);
}

interface Signature {
  readonly irVersion?: number;
  readonly opsets: ModelFindings["opsets"];
  readonly inputs: ModelFindings["inputs"];
  readonly outputs: ModelFindings["outputs"];
}

function buildFindings(bytes: number, scan: Scan, signature: Signature): ModelFindings {
  const operators = [...scan.operators].map(([name, count]) => ({ name, count }));
  operators.sort((a, b) => (a.name < b.name ? -1 : 1));
  const random = operators.filter(({ name }) => randomOperators.has(name)).map(({ name }) => name);
  if (random.length > 0) {
    note(
      scan,
      "NonDeterministic",
      `It draws numbers (${random.join(", ")}): no validator could get its results again.`,
    );
  }
  const { inputs, outputs } = signature;
  if (operators.length > maxListed.operators || Math.max(inputs.length, outputs.length) > maxListed.values) {
    note(
      scan,
      "TooComplex",
      `It has ${operators.length} operators, ${inputs.length} inputs, ${outputs.length} outputs.`,
    );
  }
  return {
    ...{ bytes, nodes: scan.nodes, parameters: scan.parameters },
    ...signature,
    inputs: inputs.slice(0, maxListed.values),
    outputs: outputs.slice(0, maxListed.values),
    operators: operators.slice(0, maxListed.operators),
    integerOnly: scan.problems.size === 0 && scan.nodes > 0 && !scan.hasFloats,
    weights: judgeWeights(scan),
    ...(random.length > 0 ? { nondeterministic: random } : {}),
    problems: [...scan.problems.values()].sort((a, b) => (a.reason < b.reason ? -1 : 1)),
  };
}

/**
 * Products of unsigned by signed bytes are summed in pairs of 16 bits on processors with AVX2 and without VNNI, and saturate there
 * where weights need more than 7 bits. Of constants of another type nothing is lost: they are widened first.
 */
function judgeWeights({ products, bytes }: Scan): ModelFindings["weights"] {
  if (products.length === 0) return "None";
  const ranges = products.map(({ weights }) => bytes.get(weights));
  if (ranges.some((range) => range === undefined)) return "NotConstant";
  const isWide = ranges.some((range) => typeof range === "object" && (range.low < -64 || range.high > 63));
  return isWide ? "EightBits" : "SevenBits";
}

/** The first of each reason. */
function note({ problems }: Scan, reason: string, message: string): void {
  if (!problems.has(reason)) problems.set(reason, { reason, message: message.slice(0, 1_024) });
}

/** Names are anybody's text. */
function show(text: string): string {
  return `"${text.slice(0, 80).replaceAll(/[^\x20-\x7e]/g, "?")}"`;
}
