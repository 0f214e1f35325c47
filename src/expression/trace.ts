import { compileExpression, type Outcome } from './compiler.ts';
import { printArgument } from './print.ts';
import type { Environment, Value } from './values.ts';

/** One part of an expression and what it gave. Branches that were not taken are not there. */
export interface TraceNode {
  /** The part, in its canonical form. */
  readonly text: string;
  /** Missing where the part failed, or decided that nothing flows. */
  readonly value?: Value;
  readonly parts: readonly TraceNode[];
}

interface OpenNode {
  readonly text: string;
  value?: Value;
  readonly parts: OpenNode[];
}

/**
 * Evaluates an expression and keeps every intermediate value. `failure` is the SyncError that ended it, if one did; the
 * tree then shows how far it came. Throws ExpressionError for an expression that cannot be compiled.
 */
export function traceExpression(
  source: string,
  environment: Environment,
): { readonly tree: TraceNode; readonly outcome?: Outcome; readonly failure?: unknown } {
  const root: OpenNode = { text: '', parts: [] };
  let parent = root;
  const compiled = compileExpression(source, (node, evaluate) => {
    const text = printArgument(node);
    return (given) => {
      const outer = parent;
      const entry: OpenNode = { text, parts: [] };
      outer.parts.push(entry);
      parent = entry;
      try {
        entry.value = evaluate(given);
        return entry.value;
      } finally {
        parent = outer;
      }
    };
  });
  const treeOf = () => root.parts[0] ?? root;
  try {
    const outcome = compiled.evaluate(environment);
    return { tree: treeOf(), outcome };
  } catch (failure) {
    return { tree: treeOf(), failure };
  }
}
