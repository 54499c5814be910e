/** A bare consumer that only counts: what the client itself costs. */
import { drain } from './drain.mjs';

process.stdout.write(JSON.stringify(await drain(() => {})));
