import type { Cluster } from './cluster.ts';
import type { Outage } from './outage.ts';

/** A broker that was killed takes up to 20 s to load its transactions. */
export const RECOVER_MS = 60_000;

/** What a delivery needs of its log. */
export interface DeliveryParts {
  readonly cluster: Cluster;
  readonly outage: Outage;
  readonly label: string;
}
