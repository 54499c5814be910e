import type { Notices } from '../connector.ts';
import type { Cluster } from './cluster.ts';
import type { Outage } from './outage.ts';

/** What a source shares with the log that it came from. */
export interface SourceParts {
  readonly cluster: Cluster;
  readonly outage: Outage;
  readonly notices: Notices;
  readonly label: string;
}
