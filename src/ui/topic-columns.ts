import type { CompiledPipeline } from '../config/compile.ts';
import type { SourceSpec } from '../config/spec.ts';
import type { DecodeColumn } from '../formats/format.ts';
import { sameType, STRING, TIMESTAMP_LTZ } from '../sql/types.ts';

/** The columns that pipelines say the records of a topic have. */
export interface TopicColumns {
  readonly format: string;
  readonly columns: readonly DecodeColumn[];
}

/** null where none says so. Where two disagree on a type, it is STRING, which takes what every type takes. */
export function columnsOf(topic: string, pipelines: readonly CompiledPipeline[]): TopicColumns | null {
  const read = pipelines.flatMap(p => p.spec.sources.filter(s => s.topic === topic).map(s => ({ format: s.format, columns: sourceColumns(s) })));
  const written = pipelines.flatMap(p => p.spec.sinks.filter(s => s.topic === topic).flatMap(s => {
    const schema = p.plan.sinks.find(w => w.sink === s.name)?.schema;
    return schema === undefined ? [] : [{ format: s.format.type, columns: schema.map(field => column(field.name, { ...field, nullable: true })) }];
  }));
  const [first, ...others] = [...read, ...written];
  if (first === undefined) return null;
  const columns = new Map(first.columns.map(c => [c.field.name, c]));
  for (const c of others.filter(o => o.format === first.format).flatMap(o => o.columns)) {
    const known = columns.get(c.field.name);
    if (known === undefined) columns.set(c.field.name, c);
    else if (!sameType(known.field.type, c.field.type)) columns.set(c.field.name, column(c.key, { name: c.field.name, type: STRING, nullable: true }));
  }
  return { format: first.format, columns: [...columns.values()] };
}

export const column = (key: string, field: DecodeColumn['field'], time: DecodeColumn['time'] = null): DecodeColumn => ({ field, key, time, required: time !== null });

/** As SQL of the pipeline sees them. */
function sourceColumns(s: SourceSpec): DecodeColumn[] {
  const declared = s.columns.map(c => column(c.field.name, { ...c.field, nullable: true }));
  const { eventTime } = s;
  if (eventTime === null || eventTime.unit === null) return declared;
  return [...declared, column(eventTime.from, { name: eventTime.as, type: TIMESTAMP_LTZ, nullable: false }, eventTime.unit)];
}
