import { describe, expect, it } from 'vitest';
import { STEPS } from '../../src/api/directory-sync-status.ts';
import { runMachine } from '../../src/reconcile/machine.ts';
import { renderMachineDiagram } from '../../src/reconcile/machine-diagram.ts';

const { states } = runMachine.config;

function listNext(name: string): string[] {
  const transitions = [...(runMachine.states[name as 'load']?.transitions.values() ?? [])].flat();
  return transitions.flatMap(({ target }) => (target ?? []).map(({ key }) => key));
}

describe('the run machine', () => {
  it('has the steps of the design as its states, in their order, and an end', () => {
    expect(Object.keys(states ?? {})).toEqual([...STEPS, 'done']);
  });

  it('answers the failure of every invoked step: nothing can be thrown into the void', () => {
    for (const [name, node] of Object.entries(runMachine.states)) {
      if (node.type === 'final') continue;
      expect(node.invoke, name).toHaveLength(1);
      for (const invoked of node.invoke) {
        const failures = node.transitions.get(`xstate.error.actor.${invoked.id}`) ?? [];
        expect(failures.length, `${name} has onError`).toBe(1);
        expect(failures[0]?.target?.[0]?.key, name).toBe(name === 'report' ? 'done' : 'report');
      }
    }
  });

  it('reaches every state from the first one', () => {
    const reached = new Set(['load']);
    for (const name of reached) {
      for (const key of listNext(name)) reached.add(key);
    }
    expect([...reached].sort()).toEqual([...STEPS, 'done'].sort());
  });

  it('is drawn with every state and every way between them', () => {
    const diagram = renderMachineDiagram();
    for (const step of STEPS) expect(diagram).toContain(`${step} --> `);
    expect(diagram).toContain('guard --> apply: may write');
    expect(diagram).toContain('read --> report: error');
  });
});
