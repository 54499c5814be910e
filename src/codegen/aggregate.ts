import type { Batch } from '../engine/batch.ts';
import type { KeyWriter } from '../engine/group-key.ts';
import type { Aggregate } from '../plan/physical.ts';
import { nullable, type AggregateCall, type Expr } from '../sql/bound.ts';
import type { Places } from '../sql/functions/define.ts';
import { reprOf, type Repr, type SqlType, type Value } from '../sql/types.ts';
import { Emitter, type Code } from './emit.ts';
import { interpret } from './interpret.ts';
import { declareColumns, rowLoop, type AggregateHost, type AggregateLoop } from './loop.ts';
import { Writer } from './writer.ts';

/** Columns of `calls[k]` in the state of a pane start here. */
export const slotsBefore = (calls: readonly AggregateCall[], k: number): number => calls.slice(0, k).reduce((n, c) => n + c.fn.state.length, 0);

/** Filter, window, key and fold in one generated loop over a batch of `width` columns. `logs`: some panes keep the values of aggregates that do not merge. */
export function generateAggregate(a: Aggregate, width: number, logs = false): { readonly loop: AggregateLoop; readonly source: string } {
  const w = new Writer();
  const e = new Emitter(w, width, ['ws', 'we', '(we - 1)']);
  const text = keyText(a, width);
  if (text !== null) w.line(`const kt = h.keyText(b, ${text.index}), kb = kt.bytes, ks = kt.start, ke = kt.end, kh = kt.hash;${text.nullable ? ` const kn = b.nulls[${text.index}];` : ''}`);
  else w.line('const kw = h.key;');
  w.line('let pane = null, end = NaN, ws = 0, we = -Infinity, filtered = 0;');
  if (a.window !== null) w.line('const wm = b.wm, closed = h.closed;');
  rowLoop(w, () => {
    const { filter } = a;
    if (filter !== null) w.line(e.section(() => w.line(`if (!(${e.test(filter)})) { filtered++; continue; }`)));
    if (a.window === null) w.line(fold(a, width, logs, w, e, 'if (pane === null) pane = h.pane(0, Infinity);'));
    else {
      const late = (newest: string): string => `const at = wm[i] > closed ? wm[i] : closed;\nif (${newest} - 1 <= at) { h.late(b, i); continue; }`;
      const into = (ws: string, we: string): string => `if (${we} !== end) { pane = h.pane(${ws}, ${we}); end = ${we}; }`;
      if ('k' in a.window) {
        w.line(`const ws = ${e.array(a.window.start)}[i], we = ${e.array(a.window.end)}[i];\n${late('we')}\n${fold(a, width, logs, w, e, into('ws', 'we'))}`);
      } else {
        const { def, ms, time } = a.window;
        w.line(`const t = ${e.array(time)}[i];`);
        const size = def.fixed?.(ms);
        if (size !== undefined) {
          w.line(`if (!(t >= ws && t < we)) { ws = Math.floor(t / ${size}) * ${size}; we = ws + ${size}; }\n${late('we')}\n${fold(a, width, logs, w, e, into('ws', 'we'))}`);
          return;
        }
        w.line(late(def.newestJs('t', ms)));
        w.line(def.eachJs('t', ms, (ws, we) => `const we = ${we};\nif (we - 1 > at) {\n${fold(a, width, logs, w, e, into(ws, 'we'))}\n}`));
      }
    }
  });
  w.line('if (filtered > 0) h.filtered(filtered);');
  declareColumns(w, e.used());
  return { loop: w.compile<AggregateLoop>('aggregate', ['b', 'h']), source: w.source() };
}

/** The one key that is a text as it came, whose bytes are at hand. */
function keyText(a: Aggregate, width: number): (Expr & { k: 'col' }) | null {
  const [key] = a.keys;
  return a.keys.length === 1 && key?.k === 'col' && key.index < width && reprOf(key.type) === 'text' ? key : null;
}

/** Keys and arguments first, so that a row that fails makes no pane and touches no aggregate; then the pane (`into`), the group, every fold. */
function fold(a: Aggregate, width: number, logs: boolean, w: Writer, e: Emitter, into: string): string {
  return e.section(() => {
    const found = findGroup(keyText(a, width), a.keys, w, e);
    const calls = a.calls.map(c => ({ c, when: c.filter === null ? null : w.temp(e.test(c.filter)), args: [] as Code[] }));
    for (const call of calls) {
      // an argument is not evaluated for rows that FILTER leaves out, so it cannot fail there
      if (call.when === null || call.c.args.length === 0) call.args = call.c.args.map(x => e.emit(x));
      else call.args = call.c.args.map(x => guarded(w, e, x, call.when as string));
    }
    w.line(into);
    w.line(`const g = ${found};`);
    w.line('if (pane.dirty[g] === 0) pane.touch(g);');
    if (a.calls.length > 0) w.line('const st = pane.state;');
    let at = 0;
    for (const { c, when, args } of calls) {
      const places: Record<string, string> = {};
      const names = c.fn.state.map((slot, j) => (places[slot.name] = `s${at + j}[g]`, `s${at + j} = st[${at + j}]`));
      if (c.fn.addJs !== undefined && names.length > 0) w.line(`const ${names.join(', ')};`);
      const folded = c.fn.addJs?.(places as Places, args.map(x => x.v), x => w.bind(x)) ?? `${w.bind(c.fn.add)}(st, ${at}, g${args.map(x => `, ${x.v}`).join('')});`;
      const add = logs && c.fn.merge === undefined ? `if (pane.log !== null) pane.log.add(${at}, g, ${args[0]?.v}); else { ${folded} }` : folded;
      const guards = [...(when === null ? [] : [when]), ...args.flatMap(x => (x.n === null ? [] : [`!${x.n}`]))];
      w.line(guards.length === 0 ? add : `if (${guards.join(' && ')}) { ${add} }`);
      at += c.fn.state.length;
    }
  });
}

function guarded(w: Writer, e: Emitter, x: Expr, when: string): Code {
  const v = w.name();
  const n = nullable(x) ? w.name('z') : null;
  w.line(`let ${v}${n === null ? '' : `, ${n} = true`}; if (${when}) {`);
  const c = e.emit(x);
  w.line(`${v} = ${c.v};${n === null ? '' : ` ${n} = ${c.n ?? 'false'};`} }`);
  return { v, n };
}

/** JavaScript for the group of row `i`, once there is a pane; keys that are no bytes yet are evaluated and written here. */
function findGroup(text: (Expr & { k: 'col' }) | null, keys: readonly Expr[], w: Writer, e: Emitter): string {
  if (text === null) {
    w.line('kw.begin();');
    for (const k of keys) {
      const c = e.emit(k);
      const write = `kw.${writerOf[reprOf(k.type)]}(${c.v});`;
      w.line(c.n === null ? write : `if (${c.n}) kw.null(); else ${write}`);
    }
    return 'pane.find(kw.bytes, 0, kw.pos, kw.hash())';
  }
  const find = 'pane.find(kb, ks[i], ke[i], kh[i])';
  return text.nullable ? `kn !== null && kn[i] === 1 ? h.nullGroup(pane) : ${find}` : find;
}

const writerOf = { text: 'text', f64: 'number', wide: 'wide', bool: 'boolean', bytes: 'octets' } as const satisfies Record<Repr, keyof KeyWriter>;

/** The same loop over closures. */
export function interpretAggregate(a: Aggregate, width: number): AggregateLoop {
  const filter = a.filter === null ? null : interpret(a.filter, width);
  const keys = a.keys.map(k => interpret(k, width));
  const types = a.keys.map(k => k.type);
  let at = 0;
  const calls = a.calls.map(c => {
    const call = { fn: c.fn, at, filter: c.filter === null ? null : interpret(c.filter, width), args: c.args.map(x => interpret(x, width)) };
    at += c.fn.state.length;
    return call;
  });
  const fold = (b: Batch, h: AggregateHost, i: number, start: number, end: number): void => {
    const extra = [start, end, end - 1];
    const { key } = h;
    key.begin();
    keys.forEach((k, j) => key.value(types[j] as SqlType, k(b, i, extra)));
    const args = calls.map(c => (c.filter !== null && c.filter(b, i, extra) !== true ? null : c.args.map(x => x(b, i, extra))));
    const pane = h.pane(start, end);
    const g = pane.find(key.bytes, 0, key.pos, key.hash());
    if (pane.dirty[g] === 0) pane.touch(g);
    calls.forEach((c, j) => {
      const x = args[j];
      if (x === null || x === undefined || x.includes(null)) return;
      if (pane.log !== null && c.fn.merge === undefined) pane.log.add(c.at, g, x[0] as number);
      else c.fn.add(pane.state, c.at, g, ...(x as Value[]));
    });
  };
  const { window } = a;
  const row = (b: Batch, h: AggregateHost, i: number): void => {
    if (window === null) return fold(b, h, i, 0, Infinity);
    const watermark = Math.max((b.wm as Float64Array)[i] as number, h.closed);
    const time = (j: number): number => (b.cols[j] as Float64Array)[i] as number;
    if ('k' in window) {
      if (time(window.end) - 1 <= watermark) h.late(b, i);
      else fold(b, h, i, time(window.start), time(window.end));
      return;
    }
    if (window.def.newest(time(window.time), window.ms) - 1 <= watermark) return h.late(b, i);
    window.def.each(time(window.time), window.ms, (start, end) => { if (end - 1 > watermark) fold(b, h, i, start, end); });
  };
  return (b, h) => {
    let filtered = 0;
    for (let i = 0; i < b.length; i++) {
      try {
        if (filter !== null && filter(b, i, []) !== true) filtered++;
        else row(b, h, i);
      } catch (error) {
        h.failed(b, i, error);
      }
    }
    if (filtered > 0) h.filtered(filtered);
  };
}
