import { describe, expect, test } from "vitest";
import { compileExpression } from "../../../../../src/embedded/apiserver/cel/compile.ts";
import { kubernetesEnvironment } from "../../../../../src/embedded/apiserver/cel/environment.ts";
import { dynamicValue } from "../../../../../src/embedded/apiserver/cel/schema-types.ts";

const environment = kubernetesEnvironment().registerVariable("self", "dyn");
const run = (expression: string, self: unknown = {}) =>
  compileExpression(environment, expression).run({ self: dynamicValue(self) });

describe("the CEL libraries of Kubernetes", () => {
  const holds = [
    "quantity('1.5Gi').isGreaterThan(quantity('1G')) && quantity('50k').add(1).asInteger() == 50001",
    "isQuantity('1e3') && !isQuantity('1.5Gx') && quantity('1') == quantity('1000m')",
    "quantity('2').sub(quantity('500m')).compareTo(quantity('1500m')) == 0",
    "url('https://example.com:80/a/b?x=1&x=2').getHost() == 'example.com:80'",
    "url('https://e.com/?x=1&x=2').getQuery() == {'x': ['1', '2']} && url('/p').getScheme() == ''",
    "isURL('/a') && !isURL('a b') && !isURL('example.com')",
    "ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && !isIP('::ffff:1.2.3.4') && !isIP('1.2.3')",
    "string(ip('2001:DB8::1')) == '2001:db8::1' && ip('8.8.8.8').isGlobalUnicast()",
    "cidr('10.0.0.0/8').containsIP('10.9.8.7') && !cidr('10.0.0.0/8').containsCIDR('10.0.0.0/7')",
    "cidr('192.168.1.1/16').masked() == cidr('192.168.0.0/16') && cidr('::1/64').prefixLength() == 64",
    "semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && semver('1.10.0').isGreaterThan(semver('1.9.9'))",
    "semver('v1.2', true).minor() == 2 && !isSemver('v1.2') && isSemver('v1.2', true)",
    "format.dns1123Label().validate('Ab').hasValue() && !format.dns1123Label().validate('ab').hasValue()",
    "!format.named('nope').hasValue() && format.named('uuid').value().validate('x').value().size() == 1",
    "sets.contains([1, 2], [2]) && sets.equivalent([1, 1], [1]) && !sets.intersects([1], [2])",
    "[1, 2, 2].isSorted() && [3, 1].max() == 3 && ['b', 'a'].min() == 'a' && [1.5, 2.0].sum() == 3.5",
    "[duration('1h'), duration('30m')].sum() == duration('90m') && [1, 2, 1].lastIndexOf(1) == 2",
    "'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1) == ['1'] && 'abc'.find('z') == ''",
    "'%s is %d, %.1f, %x'.format(['a', 3, 1.25, 255]) == 'a is 3, 1.3, ff'",
    "'xx'.replace('x', 'y', 1) == 'yx' && 'HI'.matches('(?i)hi') && 'äb'.charAt(0) == 'ä'",
    "string(timestamp('2020-01-01T00:00:00.5Z')) == '2020-01-01T00:00:00.5Z' && string(duration('90s')) == '90s'",
    "optional.of(2).optMap(x, x * 2).value() == 4 && optional.none().orValue(1) == 1",
    "self.?a.?b.orValue('none') == 'none' && !self.?a.hasValue()",
  ];
  test.each(holds)("%s", (expression) => expect(run(expression)).toBe(true));

  const self = { list: ["a", "b"], map: { x: 1, y: 2 } };
  const loops = [
    "self.list.all(i, v, i < 2 && v != '') && self.map.exists(k, v, k == 'y' && v == 2)",
    "self.list.transformList(i, v, i > 0, v) == ['b'] && self.map.existsOne(k, v, v > 1)",
    "self.map.transformMap(k, v, v * 2)['y'] == 4",
    "self.list.transformMapEntry(i, v, {v: i})['b'] == 1",
  ];
  test.each(loops)("%s", (expression) => expect(run(expression, self)).toBe(true));
});

describe("what does not compile", () => {
  const wrong: Array<[expression: string, want: RegExp]> = [
    ["foo", /undeclared reference to 'foo' \(in container ''\)/],
    ["nofn(1)", /undeclared reference to 'nofn'/],
    ["'a'.startsWith(1)", /found no matching overload for 'startsWith' applied to 'string.\(int\)'/],
    ["1 + 'a'", /found no matching overload for '_\+_' applied to '\(int, string\)'/],
    ["[1, 'a'].size() == 2", /expected type 'int' but found 'string'/],
    ["{'a': 1, 'b': 'x'}.size() == 2", /expected type 'int' but found 'string'/],
    ["self.", /Syntax error/],
    ["has(self)", /invalid argument to has\(\) macro/],
    ["'a'.matches('(?=b)')", /invalid matches argument/],
  ];
  test.each(wrong)("%s", (expression, want) => expect(() => run(expression)).toThrow(want));

  test("the place is shown under the line that is wrong", () => {
    expect(() => run("true &&\n  foo")).toThrow("ERROR: <input>:2:3: undeclared reference to 'foo'");
    expect(() => run("true &&\n  foo")).toThrow("\n |   foo\n | ..^");
  });
});

describe("what fails when it runs", () => {
  const failing: Array<[expression: string, want: string]> = [
    ["self.nope == 1", "no such key: nope"],
    ["self.list[7] == 1", "index out of bounds: 7"],
    ["1 / self.zero == 1", "division by zero"],
    ["self.list < 1", "no such overload"],
  ];
  test.each(failing)("%s", (expression, want) =>
    expect(() => run(expression, { list: [1], zero: 0 })).toThrow(new RegExp(`^${want}`)),
  );
});
