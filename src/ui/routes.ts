import type { Route } from './call.ts';
import { deadRoutes } from './dead.ts';
import { infoRoutes } from './info.ts';
import { jobRoutes } from './jobs.ts';
import { schemaRoute } from './schemas.ts';
import type { Site } from './site.ts';
import { stateRoutes } from './states.ts';
import { topicRoutes } from './topics.ts';

/** All that a dashboard answers to. */
export function routesOf(site: Site): readonly Route[] {
  const routes = [...infoRoutes, ...jobRoutes(site), ...topicRoutes(), ...stateRoutes(site), ...deadRoutes];
  return [...routes, schemaRoute(routes)];
}
