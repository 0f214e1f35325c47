import type fc from 'fast-check';

/** One thing that holds for every input of its kind. */
export interface FuzzProperty {
  readonly name: string;
  /** How many inputs take about a second. */
  readonly batch: number;
  readonly property: fc.IRawProperty<unknown, false>;
}

export function fail(message: string): never {
  throw new Error(message);
}

/** Undefined when it threw one of the errors that it may throw. */
export function tolerate<T>(run: () => T, isAllowed: (error: unknown) => boolean): T | undefined {
  try {
    return run();
  } catch (error) {
    if (isAllowed(error)) return undefined;
    throw error;
  }
}
