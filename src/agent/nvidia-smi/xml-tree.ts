/**
 * The document as a tree, and safe ways into it. The shape is the one that the package node-nvidia-smi also produces
 * (attributes under `$`, an element as an object or, when empty of elements, its text; repeated elements as an array and a
 * single one not), so that one reader serves both. Nothing here trusts the tree: every step asks what it stands on. Pure.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describeError } from "../../base/errors.ts";
import { NvidiaSmiFailure } from "./failure.ts";

// The schema nests eight deep. Entities stay as they are written: none occurs in a value that is read, and none can grow.
const parser = new XMLParser({
  ignoreAttributes: false,
  attributesGroupName: "$",
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: 64,
});

/** @throws NvidiaSmiFailure Garbled */
export function parseXml(xml: string): unknown {
  try {
    const valid = XMLValidator.validate(xml);
    if (valid === true) return parser.parse(xml);
    throw garbled(xml, `${valid.err.msg.replaceAll(/\s+/g, " ")} in line ${valid.err.line}`);
  } catch (error) {
    if (error instanceof NvidiaSmiFailure) throw error;
    throw garbled(xml, describeError(error), error);
  }
}

function garbled(xml: string, problem: string, cause?: unknown): NvidiaSmiFailure {
  const got = xml.trim() === "" ? "nothing" : `"${xml.trim().slice(0, 80)}"`;
  return new NvidiaSmiFailure("Garbled", `nvidia-smi printed no valid XML: ${problem}; it begins with ${got}.`, cause);
}

/** Child elements of that name, none, one or many. */
export function elementsOf(node: unknown, name: string): readonly unknown[] {
  if (typeof node !== "object" || node === null || Array.isArray(node) || !Object.hasOwn(node, name)) return [];
  const found: unknown = Reflect.get(node, name);
  return Array.isArray(found) ? found : [found];
}

/** The first element at the end of a path of names. */
export function elementAt(node: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((current, name) => elementsOf(current, name)[0], node);
}

/** The text at the end of a path, as written; undefined where there is none. */
export function rawTextAt(node: unknown, ...path: readonly string[]): string | undefined {
  const found = elementAt(node, ...path);
  const text = typeof found === "string" ? found : elementAt(found, "_");
  return typeof text === "string" && text.trim() !== "" ? text.trim() : undefined;
}

/** Every way in which nvidia-smi says that it has no value. */
const absent =
  /^\[?(N\/A|None|Not Supported|Not Available|Unknown Error|ERR!|GPU is lost|Insufficient Permissions|Requested functionality has been deprecated)\]?$/i;

/** The text at the end of a path; undefined where nvidia-smi has no value there. */
export function textAt(node: unknown, ...path: readonly string[]): string | undefined {
  const text = rawTextAt(node, ...path);
  return text === undefined || absent.test(text) ? undefined : text;
}
