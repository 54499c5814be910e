/** A thread that says that it has begun, and has not. */
import { say } from './say-begun.mjs';

say();
throw new Error('no room for a thread');
