import dagre from '@dagrejs/dagre';
import type { PlanReport } from '../observe/plan.ts';

interface Placed {
  readonly id: string;
  /** Of the left upper corner, px. */
  readonly x: number;
  readonly y: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  /** For SVG. */
  readonly path: string;
  /** Middle of the label. */
  readonly label: Point;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Placed[];
  readonly edges: readonly Edge[];
}

export const NODE = { width: 204, height: 104 } as const;
const LABEL = { width: 56, height: 18 } as const;

export const sinkId = (name: string): string => `sink ${name}`;

/** Places what a plan consists of, from left to right or from top to bottom. */
export function place(plan: PlanReport, across: boolean): Layout {
  const g = new dagre.graphlib.Graph();
  g.setGraph({ rankdir: across ? 'LR' : 'TB', nodesep: 28, ranksep: across ? 28 : 24, edgesep: 16, marginx: 2, marginy: 2 });
  g.setDefaultEdgeLabel(() => ({}));
  const arrows = [...plan.operators.map(o => [o.input, o.id] as const), ...plan.sinks.map(s => [s.input, sinkId(s.name)] as const)];
  for (const id of [...plan.sources.map(s => s.id), ...arrows.map(a => a[1])]) g.setNode(id, { ...NODE });
  for (const [from, to] of arrows) if (g.hasNode(from)) g.setEdge(from, to, { ...LABEL, labelpos: 'c' });
  dagre.layout(g);
  const { width = 0, height = 0 } = g.graph();
  return {
    width, height,
    nodes: g.nodes().map((id: string) => { const n = g.node(id); return { id, x: (n.x as number) - NODE.width / 2, y: (n.y as number) - NODE.height / 2 }; }),
    edges: g.edges().map((e: { readonly v: string; readonly w: string }) => ({ from: e.v, to: e.w, ...line(side(g.node(e.v) as Point, across, 1), (g.edge(e).points ?? []).slice(1, -1), side(g.node(e.w) as Point, across, -1), across) })),
  };
}

/** Middle of the side of a box where lines leave (1) or arrive (-1). */
const side = ({ x, y }: Point, across: boolean, way: 1 | -1): Point => (across ? { x: x + (way * NODE.width) / 2, y } : { x, y: y + (way * NODE.height) / 2 });

/** From box to box, past those between; each part leaves and arrives straight. The label stands in the middle of its middle part. */
function line(from: Point, between: readonly Point[], to: Point, across: boolean): { readonly path: string; readonly label: Point } {
  // the layout puts a point beside the label, in the middle between neighbours, where none is needed
  const stops = between.length > 1 ? between : [];
  const points = [from, ...stops, to];
  const parts = points.slice(1).map((q, i) => {
    const p = points[i] as Point;
    const [mx, my] = [(p.x + q.x) / 2, (p.y + q.y) / 2];
    return across ? `C${mx} ${p.y} ${mx} ${q.y} ${q.x} ${q.y}` : `C${p.x} ${my} ${q.x} ${my} ${q.x} ${q.y}`;
  });
  const middle = Math.floor((points.length - 1) / 2);
  const [a, b] = [points[middle] as Point, points[middle + 1] as Point];
  return { path: `M${from.x} ${from.y}${parts.join('')}`, label: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } };
}
