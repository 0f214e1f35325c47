/**
 * One run as a state machine. A machine lives for one run only; nothing is carried to the next but the state store.
 *
 * | state | entered when | what is true in it |
 * | --- | --- | --- |
 * | load | the run begins | nothing has been asked of source or target |
 * | read | the resources compile, and the DirectorySync is not under deletion | the source is being read; nothing was removed and nothing can be |
 * | map | the read is complete | every record is staged |
 * | observe | every person and team that is wanted is known | what an earlier run began is being settled |
 * | plan | what the target holds is known | nothing has been written by this run |
 * | guard | the plan is stored | units are split into those that go and those that wait |
 * | apply | something may go, and the run may write | every request is written down before it is sent |
 * | report | the run is over, well or not | `context.error` is null when it is over well |
 * | done | the outcome is known | it is the machine's output |
 */
import { assign, fromPromise, setup } from 'xstate';
import type { Applied, Failure, RunContext, RunDependencies, RunReport } from './run.ts';
import { apply } from './steps/apply.ts';
import { observeOwned, planDeletion, UNGUARDED } from './steps/deletion.ts';
import { guard } from './steps/guard.ts';
import { load } from './steps/load.ts';
import { map } from './steps/map.ts';
import { observe } from './steps/observe.ts';
import { plan } from './steps/plan.ts';
import { read } from './steps/read.ts';
import { report, toLostReport, toRunKind } from './steps/report.ts';

type Products = Required<Omit<RunContext, 'run' | 'failure' | 'report'>>;
type StepInput = { readonly run: RunDependencies; readonly products: Products };
type Step<T> = (run: RunDependencies, products: Products, signal: AbortSignal) => Promise<T>;

function toActor<T>(step: Step<T>) {
  return fromPromise<T, StepInput>(({ input: { run, products }, signal }) =>
    step(run, products, AbortSignal.any([signal, run.signal, run.stopping])),
  );
}

/** A state is entered only when all before it have produced what it needs. */
const input = ({ context }: { context: RunContext }): StepInput => ({
  run: context.run,
  products: context as unknown as Products,
});

const machine = setup({
  types: { context: {} as RunContext, input: {} as RunDependencies, output: {} as RunReport },
  actors: {
    load: toActor((run, _products, signal) => load(run, signal)),
    read: toActor(read),
    map: toActor(map),
    observe: toActor((run, products: Products, signal) =>
      run.options.deletion ? observeOwned(run, products, signal) : observe(run, products, signal),
    ),
    plan: toActor((run, products: Products, signal) =>
      run.options.deletion ? planDeletion(run, products, signal) : plan(run, products, signal),
    ),
    guard: toActor(guard),
    // Requests under way are waited for when the run is stopped: only the hard signal reaches them.
    apply: fromPromise<Applied, StepInput>(({ input: { run, products } }) => apply(run, products, run.signal)),
    report: fromPromise<RunReport, RunContext>(({ input: context }) => report(context)),
  },
  actions: {
    'note failure': assign((_, { step, thrown }: Failure) => ({ failure: { step, thrown } })),
  },
  guards: {
    'is deletion': ({ context }) => context.run.options.deletion,
    'may delete': ({ context }) =>
      context.run.options.deletion && !context.run.options.planOnly && context.loaded?.spec.mode === 'Apply',
    'may write': ({ context }) => !context.run.options.planOnly && context.loaded?.spec.mode === 'Apply',
  },
});

const onError = (step: Failure['step']) =>
  ({
    target: 'report',
    actions: {
      type: 'note failure',
      params: ({ event }: { event: { error: unknown } }) => ({ step, thrown: event.error }),
    },
  }) as const;

export const runMachine = machine.createMachine({
  id: 'run',
  context: ({ input: run }) => ({ run }),
  initial: 'load',
  states: {
    load: {
      invoke: {
        src: 'load',
        input,
        onDone: [
          { guard: 'is deletion', target: 'observe', actions: assign({ loaded: ({ event }) => event.output }) },
          { target: 'read', actions: assign({ loaded: ({ event }) => event.output }) },
        ],
        onError: onError('load'),
      },
    },
    read: {
      invoke: {
        src: 'read',
        input,
        onDone: { target: 'map', actions: assign({ read: ({ event }) => event.output }) },
        onError: onError('read'),
      },
    },
    map: {
      invoke: {
        src: 'map',
        input,
        onDone: { target: 'observe', actions: assign({ mapped: ({ event }) => event.output }) },
        onError: onError('map'),
      },
    },
    observe: {
      invoke: {
        src: 'observe',
        input,
        onDone: { target: 'plan', actions: assign({ observed: ({ event }) => event.output }) },
        onError: onError('observe'),
      },
    },
    plan: {
      invoke: {
        src: 'plan',
        input,
        onDone: [
          {
            guard: 'may delete',
            target: 'apply',
            actions: assign({ planned: ({ event }) => event.output, guarded: () => UNGUARDED }),
          },
          { guard: 'is deletion', target: 'report', actions: assign({ planned: ({ event }) => event.output }) },
          { target: 'guard', actions: assign({ planned: ({ event }) => event.output }) },
        ],
        onError: onError('plan'),
      },
    },
    guard: {
      invoke: {
        src: 'guard',
        input,
        onDone: [
          { guard: 'may write', target: 'apply', actions: assign({ guarded: ({ event }) => event.output }) },
          { target: 'report', actions: assign({ guarded: ({ event }) => event.output }) },
        ],
        onError: onError('guard'),
      },
    },
    apply: {
      invoke: {
        src: 'apply',
        input,
        onDone: { target: 'report', actions: assign({ applied: ({ event }) => event.output }) },
        onError: onError('apply'),
      },
    },
    report: {
      invoke: {
        src: 'report',
        input: ({ context }) => context,
        onDone: { target: 'done', actions: assign({ report: ({ event }) => event.output }) },
        onError: {
          target: 'done',
          actions: { type: 'note failure', params: ({ event }) => ({ step: 'report', thrown: event.error }) },
        },
      },
    },
    done: { type: 'final' },
  },
  output: ({ context }) =>
    context.report ??
    toLostReport({
      failure: context.failure,
      runId: context.run.runId,
      kind: toRunKind(context.run.options),
      startedAt: context.run.startedAt,
      finishedAt: context.run.now(),
    }),
});
