/** Writes XML in the form of nvidia-smi: tabs, one element a line. Pure. */

/** Text, child elements in order, or one element repeated. Empty text writes an empty element. */
export type Xml = string | readonly Xml[] | XmlElements;
export interface XmlElements {
  readonly [name: string]: Xml;
}

export function writeElements(elements: XmlElements, depth: number): string {
  return Object.entries(elements)
    .map(([name, content]) => writeElement(name, content, depth))
    .join("");
}

export function writeElement(name: string, content: Xml, depth: number, attributes = ""): string {
  const indent = "\t".repeat(depth);
  if (typeof content === "string") return `${indent}<${name}${attributes}>${escapeText(content)}</${name}>\n`;
  if (isRepeated(content)) return content.map((one) => writeElement(name, one, depth)).join("");
  return `${indent}<${name}${attributes}>\n${writeElements(content, depth + 1)}${indent}</${name}>\n`;
}

function isRepeated(content: readonly Xml[] | XmlElements): content is readonly Xml[] {
  return Array.isArray(content);
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
