import { Registry } from '../../registry.ts';
import { hop } from './hop.ts';
import { tumble } from './tumble.ts';

export const windows = new Registry('window', [tumble, hop]);
