/** The run machine as a Mermaid state diagram, drawn from the machine itself for the documentation. */
import { runMachine } from './machine.ts';

export function renderMachineDiagram(): string {
  const lines = ['stateDiagram-v2', '  [*] --> load'];
  for (const [name, node] of Object.entries(runMachine.states)) {
    if (node.type === 'final') lines.push(`  ${name} --> [*]`);
    for (const [event, transitions] of node.transitions) {
      for (const { target, guard } of transitions) {
        for (const { key } of target ?? [])
          lines.push(`  ${name} --> ${key}: ${toLabel(event, guard, transitions.length)}`);
      }
    }
  }
  return lines.join('\n');
}

function toLabel(event: string, guard: unknown, ways: number): string {
  if (event.startsWith('xstate.error')) return 'error';
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  return ways > 1 ? 'otherwise' : 'done';
}
