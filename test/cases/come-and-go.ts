import type { Backlog, Load } from '../../src/engine/parallel/scaling.ts';

/** As if a backlog came twice in a run, and was done in between: threads begin and end in the midst of a stream. */
export class ComeAndGo {
  /** How often they did. */
  came = 0;
  went = 0;

  /** `RunModules.scaling` of one run. */
  scaling(): (began: Load) => Backlog {
    let left = 2;
    return began => ({
      every: 1,
      out: l => {
        if (left === 0 || l.read - began.read < 60) return false;
        this.came++;
        left--;
        return true;
      },
      back: l => {
        if (l.read - began.read < 300) return false;
        this.went++;
        return true;
      },
    });
  }
}
