export function foreignTokens(source: string): string[];
export function recordingSources(work: () => void): string[];
