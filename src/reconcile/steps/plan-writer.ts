/** Operations of a plan on their way into the journal. */
import type { AttributeChange, Operation, RecordError, ResourceKind } from '../../model.ts';
import { type DraftOperation, type Planned, toOperationLine } from '../../plan/draft.ts';
import type { PlanSettings } from '../../plan/settings.ts';
import type { Effect } from '../../state/store.ts';
import type { RunDependencies } from '../run.ts';

/** Numbers operations and writes them in batches, so that memory does not grow with the plan. */
export class PlanWriter {
  operations = 0;
  protected = 0;
  readonly #run: RunDependencies;
  readonly #shapes: Readonly<Record<ResourceKind, PlanSettings['shapes']>>;
  #rows: { operation: Operation; recovered: boolean; line: string }[] = [];
  #effects: Effect[] = [];
  #errors: RecordError[] = [];

  /** @param shapes of the values of users and of teams */
  constructor(run: RunDependencies, shapes: Readonly<Record<ResourceKind, PlanSettings['shapes']>>) {
    this.#run = run;
    this.#shapes = shapes;
  }

  /** Returns the operations as they are numbered. */
  async add(planned: Planned): Promise<readonly Operation[]> {
    const numbered = planned.operations.map((draft) => this.#push(draft));
    this.#effects.push(...planned.effects);
    this.#errors.push(...planned.errors);
    this.protected += planned.protected;
    if (this.#rows.length + this.#effects.length + this.#errors.length >= 500) await this.flush();
    return numbered;
  }

  #push(draft: DraftOperation): Operation {
    const { recovered, ...rest } = draft;
    this.operations += 1;
    const changes = rest.changes.map((change) => this.#mark(change, rest.resource));
    const operation = { ...rest, changes, seq: this.operations, held: null };
    this.#rows.push({ operation, recovered, line: toOperationLine(draft) });
    return operation;
  }

  #mark(change: AttributeChange, resource: ResourceKind): AttributeChange {
    return this.#shapes[resource].get(change.path)?.redacted === true ? { ...change, redacted: true } : change;
  }

  async flush(): Promise<void> {
    const { journal, links } = this.#run.state;
    if (this.#rows.length > 0) await journal.addOperations(this.#run.runId, this.#rows);
    if (this.#effects.length > 0) await links.apply(this.#effects);
    if (this.#errors.length > 0) await journal.addErrors(this.#run.runId, this.#errors);
    this.#rows = [];
    this.#effects = [];
    this.#errors = [];
  }
}
