import { didYouMean } from '../../suggest.ts';
import type { Name } from '../ast.ts';
import type { BindContext } from './context.ts';
import type { RelColumn } from '../bound.ts';
import { typeName } from '../types.ts';

/** The columns that an expression may name. Case matters; without an exact match a single match without regard to case is taken, with a warning. */
export class Scope {
  readonly columns: readonly RelColumn[];
  /** Name of the table or its alias, for `t.column`; null when it has none. */
  readonly table: string | null;

  constructor(columns: readonly RelColumn[], table: string | null) {
    this.columns = columns;
    this.table = table;
  }

  /** Index of the column, or null when there is none of that name. */
  find(path: readonly Name[], context: BindContext): number | null {
    const name = path.at(-1) as Name;
    if (path.length > 2) throw context.notYet('paths into a ROW', [(path[0] as Name).at[0], name.at[1]]);
    if (path.length === 2) this.checkTable(path[0] as Name, context);
    for (const hidden of [false, true]) {
      const exact = this.#matches(c => c.hidden === hidden && c.name === name.text);
      if (exact.length > 0) return this.#only(exact, name, context);
    }
    if (name.quoted) return null;
    const loose = this.#matches(c => c.name.toLowerCase() === name.text.toLowerCase());
    if (loose.length === 0) return null;
    const index = this.#only(loose, name, context);
    const column = this.columns[index] as RelColumn;
    context.warnings.push(context.error('user.sql.name_case', `"${name.text}" is taken for column "${column.name}": names are case-sensitive`, name.at, { severity: 'warning', hint: `write ${column.name}` }));
    return index;
  }

  checkTable(name: Name, context: BindContext): void {
    if (this.table !== null && (name.text === this.table || (!name.quoted && name.text.toLowerCase() === this.table.toLowerCase()))) return;
    throw context.error('user.sql.unknown_table', `"${name.text}" is no table of this query`, name.at, { hint: this.table === null ? undefined : `the table is named "${this.table}"` });
  }

  unknown(name: Name, context: BindContext): Error {
    const visible = this.columns.filter(c => !c.hidden);
    const list = `columns: ${visible.slice(0, 20).map(c => `${c.name} ${typeName(c.type)}`).join(', ')}${visible.length > 20 ? ', ...' : ''}`;
    const time = visible.find(c => c.attribute?.k === 'time')?.name;
    // what it is called where it is made of another column
    const near = name.text === 'ts' && time !== undefined ? `its event time is ${time};` : didYouMean(name.text, this.columns.map(c => c.name));
    return context.error('user.sql.unknown_column', `column "${name.text}" does not exist${this.table === null ? '' : ` in "${this.table}"`}`, name.at, {
      label: 'no such column', hint: near !== undefined ? `${near} ${list}` : name.quoted ? `text is written in single quotes: '${name.text.replaceAll("'", "''")}'; ${list}` : list,
    });
  }

  #matches(test: (c: RelColumn) => boolean): number[] {
    return this.columns.flatMap((c, i) => (test(c) ? [i] : []));
  }

  #only(indexes: readonly number[], name: Name, context: BindContext): number {
    if (indexes.length === 1) return indexes[0] as number;
    throw context.error('user.sql.ambiguous_column', `column "${name.text}" is ambiguous`, name.at, { hint: `${indexes.length} columns have this name` });
  }
}

