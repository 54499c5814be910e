import type { Aggregate, PhysicalPlan } from '../plan/physical.ts';
import { shapeOf, type OperatorFate, type PlanChange, type SavedPlan } from '../plan/compare.ts';
import { identifier } from '../plan/identifier.ts';
import type { StateSlot } from '../sql/functions/define.ts';
import type { ClaimTx, SqlValue, StateStore, TableSpec } from '../state/store.ts';
import { COUNTED } from './counted.ts';
import { GroupRows } from './group-rows.ts';
import { emptyTable, groupTable } from './group-table.ts';

/** Groups that are written at once. */
const ROWS = 4096;

/** What a claim does beside what it must. */
export interface ClaimMore {
  /** Operators that are written anew, by `write`: what is saved of them goes. */
  readonly rebuilt: ReadonlySet<string>;
  write(tx: ClaimTx): void;
}

/**
 * Makes a saved state that of another plan, in one transaction: what goes on under other names or in another order is moved, what is gone and
 * what `more` builds again is dropped, and the plan is noted. Whether that may be is asked before (plan-change.ts).
 */
export function claimState(store: StateStore, plan: PhysicalPlan, text: string, change: PlanChange | null, more: ClaimMore | null = null): void {
  const before = store.plan();
  if (before === text && more === null) return;
  if (change === null) return store.claim(tx => tx.plan(text));
  const saved = before === null ? null : JSON.parse(before) as SavedPlan;
  store.claim(tx => {
    new Mover(tx, plan, change, saved, more?.rebuilt ?? new Set()).run();
    more?.write(tx);
    tx.plan(text);
  });
}

class Mover {
  readonly #tx: ClaimTx;
  readonly #plan: PhysicalPlan;
  readonly #change: PlanChange;
  readonly #saved: SavedPlan | null;
  readonly #rebuilt: ReadonlySet<string>;

  constructor(tx: ClaimTx, plan: PhysicalPlan, change: PlanChange, saved: SavedPlan | null, rebuilt: ReadonlySet<string>) {
    this.#tx = tx;
    this.#plan = plan;
    this.#change = change;
    this.#saved = saved;
    this.#rebuilt = rebuilt;
  }

  run(): void {
    this.#sources();
    this.#values();
    const { operators } = this.#change;
    for (const o of operators) if (o.was !== null && (o.fate === 'gone' || this.#rebuilt.has(o.id))) this.#tx.drop(identifier(o.was));
    const moved = operators.flatMap(o => (o.fate === 'kept' && !this.#rebuilt.has(o.id) && this.#tx.columns(identifier(o.was as string)).length > 0 && this.#moves(o) ? [{ o, from: identifier(o.was as string) }] : []));
    // all of them first: two may have swapped their names
    const aside = moved.map(({ o, from }) => ({ o, from: this.#tx.setAside(from) }));
    for (const { o, from } of aside) this.#move(o, from);
    // made, so that it can be written to
    for (const a of this.#groupings()) {
      if (!this.#rebuilt.has(a.id)) continue;
      this.#tx.drop(groupTable(a).name);
      this.#tx.create(groupTable(a));
    }
  }

  #groupings(): Aggregate[] { return this.#plan.operators.filter(o => o.k === 'aggregate'); }

  /** Where a source reads another topic, it starts anew; one that is gone keeps its positions, in case it comes back. */
  #sources(): void {
    const names = new Map<string, string | null>();
    for (const s of this.#change.sources) if (s.fate === 'changed') names.set(s.was as string, null);
    for (const s of this.#change.sources) if (s.fate === 'kept' && s.was !== s.name) names.set(s.was as string, s.name);
    // a name that another one takes
    for (const s of this.#change.sources) if (s.fate === 'new' && !names.has(s.name)) names.set(s.name, null);
    if (names.size > 0) this.#tx.renameSources(names);
  }

  /** How far each operator has closed: its sinks get no row of those windows again, whatever has changed. */
  #values(): void {
    const values = this.#tx.values();
    this.#tx.clearValues();
    for (const o of this.#change.operators) {
      if ((o.fate === 'new' || o.fate === 'changed') && !this.#rebuilt.has(o.id) && this.#goesOn(o.source)) this.#tx.put(o.id, 'partial', 1);
      if (o.was === null || o.fate === 'gone') continue;
      for (const [name, value] of values.get(o.was) ?? []) if (name !== 'shape' && !(name === 'partial' && this.#rebuilt.has(o.id)) && !(name === COUNTED && o.fate !== 'kept')) this.#tx.put(o.id, name, value);
      if (o.fate === 'kept') this.#tx.put(o.id, 'shape', shapeOf(this.#plan, this.#groupings().find(a => a.id === o.id) as Aggregate));
    }
  }

  /** A part of its topic was read before. */
  #goesOn(source: string | null): boolean { return this.#change.sources.some(s => s.name === source && s.fate === 'kept'); }

  /** True when its table is not as it is to be. */
  #moves(o: OperatorFate): boolean {
    const spec = this.#spec(o);
    return o.move !== null || identifier(o.was as string) !== spec.name || this.#tx.columns(spec.name).join('\n') !== spec.columns.map(c => c.name).join('\n');
  }

  #spec(o: OperatorFate): TableSpec { return groupTable(this.#groupings().find(a => a.id === o.id) as Aggregate); }

  #move(o: OperatorFate, from: string): void {
    const tx = this.#tx;
    const spec = this.#spec(o);
    tx.create(spec);
    const places = o.move === null ? spec.columns.map((_, j) => j) : this.#places(o, o.move);
    tx.copyRows(from, spec, places);
    if (o.move === null) tx.movePieces(from, spec);
    else this.#unpack(o, o.move, from, spec, places);
    tx.drop(from);
  }

  /** Places of the columns in the saved table. */
  #places(o: OperatorFate, { keys, calls }: NonNullable<OperatorFate['move']>): number[] {
    const a = this.#groupings().find(x => x.id === o.id) as Aggregate;
    const lead = groupTable(a).key - a.keys.length;
    const rest = lead + keys.length;
    const slots = this.#slots(o);
    const first = slots.map((_, j) => rest + 1 + slots.slice(0, j).reduce((n, s) => n + s.length, 0));
    return [...Array(lead).keys(), ...keys.map(k => lead + k), rest, ...calls.flatMap(c => (slots[c] as readonly unknown[]).map((_, j) => (first[c] as number) + j))];
  }

  #slots(o: OperatorFate): SavedPlan['operators'][number]['slots'] {
    return (this.#saved as SavedPlan).operators.find(s => s.id === o.was)?.slots ?? [];
  }

  /** Packed groups of another order become rows; what they hold of calls that are gone is passed over as it is. */
  #unpack(o: OperatorFate, { keys, calls }: NonNullable<OperatorFate['move']>, from: string, spec: TableSpec, places: readonly number[]): void {
    const a = this.#groupings().find(x => x.id === o.id) as Aggregate;
    const old = {
      window: a.window, keys: keys.map((_, k) => a.keys[keys.indexOf(k)] as Aggregate['keys'][number]),
      calls: this.#slots(o).map((reprs, c) => ({ fn: { state: a.calls[calls.indexOf(c)]?.fn.state ?? reprs.map(unread) } })),
    };
    const table = emptyTable(spec);
    let flat: SqlValue[] = [];
    let rows = 0;
    const flush = (): void => { this.#tx.upsert(table, flat, rows); flat = []; rows = 0; };
    for (const row of new GroupRows(old).unpack(this.#tx.packed(from))) {
      for (const j of places) flat.push(row[j] as SqlValue);
      if (++rows === ROWS) flush();
    }
    flush();
  }
}

const unread = (repr: 'f64' | 'any'): StateSlot => ({ name: '', repr, column: 'BLOB', init: () => (repr === 'f64' ? 0 : null) });
