import { ownPackage } from './own-package.ts';

export const packageVersion = (): string => ownPackage().version;
