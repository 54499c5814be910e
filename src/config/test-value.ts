import type { Node } from './tree.ts';

/** A number of a test as it is written, so that 7500.00 and 7500 differ. */
export class NumberText {
  readonly text: string;
  constructor(text: string) { this.text = text; }
}

export function testValue(node: Node): unknown {
  if (node.k === 'list') return node.items.map(testValue);
  if (node.k === 'map') return Object.fromEntries(node.entries.map(e => [e.key, testValue(e.value)]));
  return typeof node.value === 'number' ? new NumberText(node.text) : node.value;
}

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** As a producer would send it; what YAML writes otherwise (0x1F, .5) as the number that it is. */
export function testJson(value: unknown): string {
  if (value instanceof NumberText) return numberJson(value.text);
  if (Array.isArray(value)) return `[${value.map(testJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${testJson(v)}`).join(',')}}`;
  return JSON.stringify(value);
}

function numberJson(text: string): string {
  if (JSON_NUMBER.test(text)) return text;
  const n = Number(text);
  // .inf and .nan are no JSON numbers
  return Number.isFinite(n) ? String(n) : JSON.stringify(text);
}
