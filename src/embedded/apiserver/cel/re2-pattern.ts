/**
 * Patterns in RE2 syntax, which is what Kubernetes takes, as JavaScript regular expressions. What RE2 does not have
 * (look-around, backreferences) is refused like there. Pure; compiled patterns are kept.
 */
const classes: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7F",
  blank: "\\t ",
  cntrl: "\\x00-\\x1F\\x7F",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

const compiled = new Map<string, RegExp>();
const maxCompiled = 2000;

/** Throws a SyntaxError for a pattern that RE2 would not take either. */
export function compilePattern(source: string, flags = ""): RegExp {
  const id = `${flags}/${source}`;
  const known = compiled.get(id);
  if (known !== undefined) return known;
  const pattern = translate(source, flags);
  if (compiled.size >= maxCompiled) compiled.clear();
  compiled.set(id, pattern);
  return pattern;
}

function translate(source: string, flags: string): RegExp {
  const body = translatePattern(source);
  try {
    return new RegExp(body, `${flags}u`);
  } catch {
    // RE2 takes escapes of plain characters (`\\-`, `\\_`), which JavaScript takes without its unicode mode only.
    return new RegExp(body, flags);
  }
}

/** The JavaScript pattern that matches what `source` does in RE2; leading flags become a group of their own. */
export function translatePattern(source: string): string {
  const unsupported = /\(\?<?[=!]|(?<!\\)(?:\\\\)*\\[1-9]|\\k</.exec(source);
  if (unsupported !== null) throw new SyntaxError(`invalid or unsupported Perl syntax: \`${unsupported[0]}\``);
  const lead = /^\(\?([ims]+)\)/.exec(source);
  const body = (lead === null ? source : source.slice(lead[0].length))
    .replaceAll("(?P<", "(?<")
    .replace(/(?<!\\)\\A/g, "(?<![\\s\\S])")
    .replace(/(?<!\\)\\z/g, "(?![\\s\\S])")
    .replace(/\[:(\^?)(\w+):\]/g, (whole, _not, name: string) => classes[name] ?? whole)
    .replace(/\\Q([\s\S]*?)\\E/g, (_whole, text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return lead === null ? body : `(?${lead[1]}:${body})`;
}
