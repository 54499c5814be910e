import { PipeError, type Code, type ProblemMore, type Span } from '../errors.ts';
import { firstLine, show } from './shape.ts';
import { duration, percent, size } from './values.ts';
import { entry, type Entry, type Node, type ScalarNode } from './tree.ts';
import type { CreateSpec, OnError } from './spec.ts';

/**
 * Takes values out of the tree. What has the wrong shape was reported by the schema and reads as its default here, so that the
 * rest of the file is still looked at.
 */
export class Reader {
  readonly problems: PipeError[] = [];
  readonly warnings: PipeError[] = [];
  /** The schema of the source at hand has a problem: names that are not in it are not reported. */
  broken = false;
  /** Sources and steps whose columns are not known: what reads them cannot be checked. */
  readonly unknown = new Set<string>();

  problem(code: Code, message: string, more: ProblemMore = {}): void {
    this.problems.push(new PipeError(code, message, more));
  }

  warn(code: Code, message: string, more: ProblemMore = {}): void {
    this.warnings.push(new PipeError(code, message, { ...more, severity: 'warning' }));
  }

  /** Text of a scalar that is text and not blank. */
  text(node: Node | undefined, key: string): string | undefined { return this.scalar(node, key)?.text; }

  scalar(node: Node | undefined, key: string): (ScalarNode & { readonly value: string }) | undefined {
    const value = entry(node, key)?.value;
    return isText(value) ? value : undefined;
  }

  oneOf<T extends string>(node: Node | undefined, key: string, words: readonly T[], fallback: T): T {
    const text = this.text(node, key);
    return words.find(w => w === text) ?? fallback;
  }

  /** ms, at least `least`. */
  duration(node: Node | undefined, key: string, fallback: number, least = 0): number {
    const value = this.scalar(node, key);
    const ms = value === undefined ? undefined : duration(value.text);
    if (value === undefined || ms === undefined) return fallback;
    if (ms < least || !Number.isSafeInteger(ms)) this.problem('user.config.bad_value', `"${key}" is ${ms < least ? `at least ${least} ms` : 'too long'}, not ${show(value)}`, { span: value.span });
    return ms;
  }

  /** Bytes, at least 1. */
  size(node: Node | undefined, key: string, fallback: number | null): number | null {
    const value = this.scalar(node, key);
    const bytes = value === undefined ? undefined : size(value.text);
    if (value === undefined || bytes === undefined) return fallback;
    if (bytes === 0) this.problem('user.config.bad_value', `"${key}" is more than ${show(value)}`, { span: value.span });
    return bytes;
  }

  /** Fraction. */
  percent(node: Node | undefined, key: string): number | null {
    const value = this.scalar(node, key);
    if (value === undefined) return null;
    const fraction = percent(value.text);
    if (fraction === undefined && /^\d+(\.\d+)?%$/.test(value.text)) this.problem('user.config.bad_value', `"${key}" is at most 100%, not ${show(value)}`, { span: value.span });
    return fraction ?? null;
  }

  /** Name of a topic: the value of `topic`, else the name of its owner. Checked against Kafka's rules. */
  topic(node: Node, owner: Entry): { readonly topic: string; readonly topicSpan: Span } {
    const value = this.scalar(node, 'topic');
    const topic = value?.text ?? owner.key;
    const topicSpan = value?.span ?? owner.keySpan;
    this.#topicName(topic, topicSpan, value === undefined ? JSON.stringify(topic.slice(0, 60)) : show(value));
    return { topic, topicSpan };
  }

  #topicName(topic: string, span: Span, shown: string): void {
    if (/^[A-Za-z0-9._-]{1,249}$/.test(topic) && topic !== '.' && topic !== '..') return;
    this.problem('user.config.bad_value', `${shown} is no name for a topic`, { span, hint: 'a topic has letters, digits, ".", "_" and "-", at most 249' });
  }

  create(node: Node): CreateSpec | null {
    const value = entry(node, 'create')?.value;
    if (value === undefined) return null;
    const partitions = entry(value, 'partitions')?.value;
    const retention = entry(value, 'retention') === undefined ? null : this.duration(value, 'retention', 0, 1);
    const config = entry(value, 'config')?.value;
    return {
      partitions: partitions?.k === 'scalar' && typeof partitions.value === 'number' ? partitions.value : null,
      retention,
      config: Object.fromEntries(config?.k === 'map' ? config.entries.flatMap(e => (e.value.k === 'scalar' ? [[e.key, e.value.text] as const] : [])) : []),
    };
  }

  onError(node: Node): OnError | null {
    const value = entry(node, 'on_error')?.value;
    if (value?.k === 'map') {
      const topic = this.scalar(value, 'topic');
      if (topic === undefined) return null;
      this.#topicName(topic.text, topic.span, show(topic));
      return { topic: topic.text };
    }
    const word = isText(value) ? value.text : '';
    return word === 'dead_letters' || word === 'skip' || word === 'stop' ? word : null;
  }
}

export const isText = (node: Node | undefined): node is ScalarNode & { readonly value: string } => node?.k === 'scalar' && typeof node.value === 'string' && node.value.trim() !== '';

/** Where a map entry is pointed at: its value on one line, else its key. */
export const valueSpan = (e: Entry): Span => (e.value.k === 'scalar' && e.value.value !== null ? firstLine(e.value.span) : e.keySpan);
