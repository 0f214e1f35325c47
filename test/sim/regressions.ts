/**
 * Scenarios that broke a rule once, as small as they could be made. They are written out, because a seed means another
 * scenario as soon as anything is added to the generator.
 */
import { PLAIN } from './quirks.ts';
import type { RunStep, Scenario } from './scenario.ts';

export interface Regression {
  /** What went wrong. */
  readonly name: string;
  readonly scenario: Scenario;
}

const RUN: RunStep = { do: 'run', faults: [], user: null, approve: false, resync: false, twin: false };

export const REGRESSIONS: readonly Regression[] = [
  {
    // By guards that counted each run by itself, which is one of the breaks of test/mutation.
    name: 'two people leave on one day, each in a run of their own',
    scenario: {
      seed: 4,
      size: 3,
      application: PLAIN,
      steps: [
        RUN,
        { do: 'leave', who: 487 },
        { do: 'leave', who: 43 },
        { do: 'return', who: 474 },
        RUN,
        { do: 'leave', who: 148 },
        { do: 'rehire', who: 264 },
        { do: 'return', who: 377 },
      ],
    },
  },
  {
    // By the check of approvals: a later one does not take back what waits by an earlier one.
    name: 'a rename that was approved is refused until the name is free, and something else is approved meanwhile',
    scenario: {
      seed: 3906,
      size: 7,
      application: PLAIN,
      steps: [
        { do: 'manifest', what: 'deleteAfter', value: 12 },
        { ...RUN, user: 389 },
        { do: 'rotate', who: 359, other: 137 },
        { do: 'leave', who: 157 },
        RUN,
        { do: 'store', how: 'rolledBack', which: 247 },
        { do: 'swap', who: 57, other: 251 },
        RUN,
        { do: 'leave', who: 441 },
        { do: 'leave', who: 321 },
        { do: 'confirm' },
        { do: 'rename', who: 381, value: 8 },
        { do: 'rename', who: 972, value: 706 },
      ],
    },
  },
  {
    name: 'a group cannot be read, and its record is known from before or not: it is there',
    scenario: {
      seed: 7125,
      size: 2,
      groups: 2,
      features: ['feed'],
      application: PLAIN,
      steps: [
        { do: 'manifest', what: 'floor', value: 816 },
        { do: 'manifest', what: 'customGone', value: 482 },
        RUN,
        { do: 'manifest', what: 'customPath', value: 114 },
        { ...RUN, faults: [{ kind: 'groupFailed', which: 666 }] },
      ],
    },
  },
  {
    // By the check of guards: nobody can know that the account was off between.
    name: 'a run is killed when it has switched somebody off, and an administrator switches the account on',
    scenario: {
      seed: 17628,
      size: 3,
      application: PLAIN,
      steps: [
        RUN,
        { do: 'leave', who: 199 },
        { do: 'recycle', who: 810 },
        { do: 'leave', who: 854 },
        { do: 'time', ms: 90000000 },
        { do: 'return', who: 331 },
        { ...RUN, faults: [{ kind: 'kill', at: 354, count: 1 }] },
        { do: 'admin', act: 'reactivate', which: 951 },
      ],
    },
  },
  {
    name: 'a clock is set back while a suspect read keeps what guards held, and what goes meanwhile is not counted',
    scenario: {
      seed: 905070,
      size: 9,
      application: PLAIN,
      steps: [
        RUN,
        { do: 'rename', who: 243, value: 342 },
        { do: 'leave', who: 878 },
        { do: 'swap', who: 866, other: 483 },
        { do: 'leave', who: 956 },
        { do: 'leave', who: 589 },
        RUN,
        { do: 'jump', ms: -108000000 },
        { do: 'scope', who: 241 },
        RUN,
        { do: 'rename', who: 549, value: 905 },
      ],
    },
  },
  {
    name: 'a protected team lets somebody go, while a joiner of whom nobody knows whether they have joined is counted',
    scenario: {
      seed: 10955,
      size: 6,
      features: ['custom'],
      application: { quirks: ['membersAbsent'], pageSize: 3 },
      steps: [
        RUN,
        { do: 'admin', act: 'retier', which: 970 },
        { do: 'leave', who: 517 },
        { do: 'return', who: 37 },
        { do: 'manifest', what: 'protectedTeams', value: 574 },
        { do: 'time', ms: 90000000 },
        { do: 'hire', n: 779 },
        { do: 'disable', who: 131 },
        { do: 'leave', who: 718 },
        { ...RUN, faults: [{ kind: 'errorBefore', at: 14, count: 30 }] },
      ],
    },
  },
  {
    name: 'who is deleted was the manager of somebody, of which an application that forgets managers shows nothing',
    scenario: {
      seed: 5698,
      size: 3,
      features: ['managersByMail'],
      application: { quirks: ['dropsExtension'], pageSize: 100 },
      steps: [
        { do: 'manifest', what: 'deleteAfter', value: 231 },
        RUN,
        { do: 'disable', who: 187 },
        { do: 'leave', who: 990 },
      ],
    },
  },
  {
    name: 'who leaves and is held had somebody for a manager who is deleted, of which the application shows nothing',
    scenario: {
      seed: 294,
      size: 2,
      application: { quirks: ['dropsExtension'], pageSize: 100 },
      steps: [
        { do: 'manifest', what: 'deletedAtSource', value: 913 },
        { do: 'manifest', what: 'floor', value: 279 },
        RUN,
        { do: 'leave', who: 882 },
        RUN,
        { do: 'scope', who: 643 },
      ],
    },
  },
  {
    // By the check of what retired attributes leave: no run knew the path.
    name: 'a CustomAttribute comes and goes between two runs, and somebody has a value by hand',
    scenario: {
      seed: 3252,
      size: 1,
      features: ['custom'],
      application: PLAIN,
      steps: [
        RUN,
        { do: 'manifest', what: 'customGone', value: 965 },
        { do: 'admin', act: 'retier', which: 109 },
        { do: 'manifest', what: 'customGone', value: 363 },
      ],
    },
  },
  {
    name: 'the name of a leaver is waited for, and nobody looks whether the value to be chosen is free',
    scenario: {
      seed: 500138,
      size: 3,
      features: ['chosen'],
      application: PLAIN,
      steps: [{ do: 'manifest', what: 'deleteAfter', value: 357 }, RUN, { do: 'rehire', who: 666 }],
    },
  },
  {
    name: 'the owner of a name is forgotten with a lost store, and the value of who waits for it is not looked up',
    scenario: {
      seed: 501234,
      size: 2,
      features: ['chosen'],
      application: PLAIN,
      steps: [
        { do: 'manifest', what: 'chosenEntry', value: 871 },
        RUN,
        { do: 'hire', n: 935 },
        { do: 'rotate', who: 325, other: 321 },
        { do: 'manifest', what: 'chosenEntry', value: 976 },
        { do: 'admin', act: 'drop', which: 560 },
        { do: 'store', how: 'lost', which: 707 },
      ],
    },
  },
  {
    name: 'somebody leaves, and a fresh look at teams that show no members forgets who was in them',
    scenario: {
      seed: 24,
      size: 1,
      application: { quirks: ['membersAbsent'], pageSize: 100 },
      steps: [RUN, { do: 'disable', who: 683 }],
    },
  },
  {
    name: 'a team that is made again is believed to have the members of the one that was deleted',
    scenario: {
      seed: 1363,
      size: 6,
      application: { quirks: ['membersAbsent'], pageSize: 100 },
      steps: [
        RUN,
        { do: 'admin', act: 'dropTeam', which: 455 },
        { ...RUN, resync: true, faults: [{ kind: 'readPartial', which: 929 }] },
      ],
    },
  },
  {
    name: 'a page in place of the answer to a deletion is taken for success, and the account stays for ever',
    scenario: {
      seed: 5011,
      size: 8,
      application: PLAIN,
      steps: [
        { do: 'manifest', what: 'deletedAtSource', value: 544 },
        { ...RUN, faults: [{ kind: 'errorAfter', at: 2, count: 1 }] },
        { do: 'scope', who: 76 },
        { do: 'time', ms: 90_000_000 },
        {
          ...RUN,
          faults: [
            { kind: 'throttled', at: 12, count: 1 },
            { kind: 'refused', at: 7, count: 5 },
          ],
        },
        { do: 'leave', who: 470 },
        { do: 'manager', who: 3, value: 897 },
        { ...RUN, faults: [{ kind: 'html', at: 8, count: 1 }] },
      ],
    },
  },
  {
    name: 'a team that shows no members is recognised again, and deleted as if it were empty',
    scenario: {
      seed: 8016,
      size: 4,
      application: { quirks: ['membersEmpty'], pageSize: 100 },
      steps: [
        { do: 'manifest', what: 'ruleWhenEmpty', value: 0 },
        RUN,
        { do: 'store', how: 'lost', which: 0 },
        { do: 'move', who: 0, value: 2 },
        { do: 'move', who: 3, value: 2 },
        RUN,
      ],
    },
  },
  {
    name: 'one account alone, of an application that pages by cursor and does not say so',
    scenario: { seed: 164, size: 1, application: { quirks: ['cursorsUnannounced'], pageSize: 100 }, steps: [] },
  },
  {
    name: 'somebody refers to people in a conflict: what cannot be carried out is held and approved for ever',
    scenario: {
      seed: 655,
      size: 9,
      application: PLAIN,
      steps: [
        RUN,
        { do: 'rotate', who: 916, other: 290 },
        { do: 'store', how: 'lost', which: 12 },
        { do: 'manifest', what: 'updateGuard', value: 519 },
      ],
    },
  },
  {
    // By the check of protected teams, which took nobody for gone.
    name: 'an account is dropped by hand, and the team that it was in keeps one member fewer than is thought',
    scenario: {
      seed: 749,
      size: 5,
      application: PLAIN,
      steps: [
        { do: 'manifest', what: 'protectedTeams', value: 533 },
        { do: 'hire', n: 46 },
        RUN,
        { do: 'clubs', who: 567, value: 454 },
        { do: 'admin', act: 'drop', which: 852 },
        RUN,
      ],
    },
  },
  {
    // By the check of guards, which knew the manager by another path and took the approved change for another one.
    name: 'a change of a manager is held and approved',
    scenario: {
      seed: 1503,
      size: 4,
      application: PLAIN,
      steps: [RUN, { do: 'manager', who: 735, value: 594 }, { do: 'manifest', what: 'updateGuard', value: 915 }],
    },
  },
  {
    name: 'what a service can do breaks off in the middle, and teams that show no members are written whole',
    scenario: {
      seed: 1863,
      size: 8,
      application: { quirks: ['lowerCaseWords', 'membersEmpty'], pageSize: 3 },
      steps: [RUN, { do: 'hire', n: 100 }, { ...RUN, faults: [{ kind: 'halfJson', at: 1, count: 2 }] }],
    },
  },
  {
    name: 'the server asks to wait, and who waited for a place is sent at that moment',
    scenario: {
      seed: 4958,
      size: 9,
      application: {
        quirks: ['bulkMissing', 'dropsExtension', 'noBodies', 'membersAbsent', 'firstPageOnly'],
        pageSize: 100,
      },
      steps: [{ ...RUN, faults: [{ kind: 'throttledUntil', at: 17, count: 30 }] }],
    },
  },
  {
    // By the check of deletions: nobody could know of them.
    name: 'a team ends whose members are not shown, and somebody was put in by hand',
    scenario: {
      seed: 6672,
      size: 3,
      application: { quirks: ['lowerCaseKeys', 'membersEmpty', 'dropsExtension', 'noFilter', 'noTotals'], pageSize: 5 },
      steps: [
        { do: 'manifest', what: 'ruleWhenEmpty', value: 936 },
        RUN,
        { do: 'admin', act: 'addMember', which: 9 },
        { do: 'leave', who: 894 },
      ],
    },
  },
  {
    name: 'members are removed, the answer is lost and the second attempt refused, where none are shown; then one is back',
    scenario: {
      seed: 2226,
      size: 10,
      application: {
        quirks: ['strict', 'bulkMissing', 'cursors', 'membersAbsent', 'lowered'],
        pageSize: 100,
        tokenLife: 2,
      },
      steps: [
        { do: 'manifest', what: 'adoptGuard', value: 349 },
        { do: 'admin', act: 'namesake', which: 669 },
        { do: 'admin', act: 'namesake', which: 627 },
        RUN,
        RUN,
        { do: 'admin', act: 'drop', which: 886 },
        { do: 'time', ms: 90_000_000 },
        { ...RUN, faults: [{ kind: 'readBlank', which: 245 }] },
        { do: 'leave', who: 199 },
        { do: 'leave', who: 630 },
        { do: 'hire', n: 428 },
        { do: 'leave', who: 130 },
        { do: 'time', ms: 90_000_000 },
        { ...RUN, faults: [{ kind: 'gatewayTimeout', at: 16, count: 1 }] },
        { do: 'return', who: 283 },
      ],
    },
  },
  {
    name: 'half of a read is lost, and the only whole one before it was of a run that came to nothing',
    scenario: {
      seed: 12145,
      size: 6,
      application: PLAIN,
      steps: [
        { ...RUN, user: 505 },
        { ...RUN, faults: [{ kind: 'errorBefore', at: 3, count: 30 }] },
        { do: 'scope', who: 1 },
        { ...RUN, faults: [{ kind: 'readPartial', which: 498 }] },
      ],
    },
  },
  {
    name: 'two leave a protected team, and the account of one of them is deleted',
    scenario: {
      seed: 16582,
      size: 6,
      application: { quirks: ['filterIgnored', 'cursorsOnly'], pageSize: 5, tokenLife: 2 },
      steps: [
        { do: 'manifest', what: 'deletedAtSource', value: 85 },
        { do: 'manifest', what: 'protectedTeams', value: 218 },
        RUN,
        { do: 'hire', n: 140 },
        { do: 'scope', who: 996 },
        { do: 'swap', who: 389, other: 114 },
        { do: 'rotate', who: 568, other: 368 },
        { do: 'leave', who: 677 },
      ],
    },
  },
  {
    // By the oracle: nobody could know of it.
    name: 'a team whose members are not shown becomes empty after the store is lost',
    scenario: {
      seed: 19237,
      size: 3,
      application: {
        quirks: ['dropsTitle', 'noBodies', 'bulkMissing', 'membersAbsent', 'filterIgnored', 'cursorsUnannounced'],
        pageSize: 5,
      },
      steps: [
        { do: 'manifest', what: 'ruleWhenEmpty', value: 373 },
        { do: 'manifest', what: 'deleteAfter', value: 874 },
        RUN,
        { do: 'scope', who: 160 },
        { do: 'hire', n: 760 },
        RUN,
        { do: 'store', how: 'lost', which: 488 },
        { do: 'scope', who: 107 },
      ],
    },
  },
  {
    name: 'a value is cleared, the answer is lost, and the look after it leaves it to be cleared once more',
    scenario: {
      seed: 12342,
      size: 3,
      application: { quirks: ['lowerCaseWords'], pageSize: 100, tokenLife: 5 },
      steps: [
        RUN,
        { do: 'promote', who: 595, value: 404 },
        { ...RUN, faults: [{ kind: 'lostResponse', at: 4, count: 5 }] },
      ],
    },
  },
  {
    name: 'who has a record error is switched on by hand, which is forgotten when the DirectorySync is deleted',
    scenario: {
      seed: 12384,
      size: 5,
      application: PLAIN,
      steps: [
        RUN,
        { do: 'blank', who: 202 },
        { do: 'leave', who: 357 },
        RUN,
        { do: 'return', who: 599 },
        { do: 'admin', act: 'reactivate', which: 227 },
      ],
      ending: { policy: 'Deactivate', kills: [13] },
    },
  },
  {
    name: 'a deletion is refused for ever, and what would take its name is held and not, in turns',
    scenario: {
      seed: 15339,
      size: 4,
      application: {
        quirks: ['lowerCaseKeys', 'membersEmpty', 'strict', 'fewMembers', 'upperIds', 'cursorsOnly', 'deleteForbidden'],
        pageSize: 2,
      },
      steps: [
        { do: 'manifest', what: 'disabledAtSource', value: 139 },
        { do: 'admin', act: 'namesake', which: 798 },
        RUN,
        { do: 'disable', who: 826 },
        { do: 'admin', act: 'namesake', which: 2 },
        RUN,
        { do: 'hire', n: 882 },
        { do: 'rotate', who: 983, other: 847 },
      ],
    },
  },
  {
    name: 'a name that the target spells in its own way is held to be changed, under a hash that depends on who was asked',
    scenario: {
      seed: 39769,
      size: 7,
      application: {
        quirks: ['firstPageOnly', 'membersOneByOne', 'deleteForbidden', 'lowered', 'statusOk'],
        pageSize: 2,
      },
      steps: [
        { do: 'manifest', what: 'floor', value: 879 },
        RUN,
        { do: 'leave', who: 34 },
        { do: 'manifest', what: 'updateGuard', value: 903 },
        { ...RUN, faults: [{ kind: 'readPartial', which: 385 }] },
        { do: 'leave', who: 775 },
        { do: 'swap', who: 848, other: 580 },
        { do: 'admin', act: 'drop', which: 336 },
      ],
    },
  },
  {
    // By the check of lost links: the account is another one.
    name: 'an account is made again under the id of one whose link was lost',
    scenario: {
      seed: 41583,
      size: 3,
      application: { quirks: [], pageSize: 2, tokenLife: 1, profile: 'GitLab' },
      steps: [
        RUN,
        { do: 'store', how: 'lost', which: 790 },
        { do: 'admin', act: 'drop', which: 301 },
        RUN,
        { do: 'leave', who: 685 },
      ],
    },
  },
  {
    name: 'the last member leaves a team that is deleted when it is empty, and somebody else was put in by hand',
    scenario: {
      seed: 46857,
      size: 4,
      application: { quirks: [], pageSize: 100 },
      steps: [
        { do: 'manifest', what: 'ruleWhenEmpty', value: 797 },
        RUN,
        { do: 'admin', act: 'addMember', which: 604 },
        { do: 'disable', who: 961 },
        RUN,
      ],
    },
  },
  {
    name: 'whose account it is is plain when one is looked for, and not when all are looked at',
    scenario: {
      seed: 43693,
      size: 8,
      application: { quirks: ['statusOk'], pageSize: 2, tokenLife: 1 },
      steps: [
        { do: 'admin', act: 'namesake', which: 240 },
        { do: 'hire', n: 930 },
        RUN,
        { do: 'rotate', who: 116, other: 630 },
        { do: 'disable', who: 701 },
        { do: 'admin', act: 'deactivate', which: 647 },
        { do: 'store', how: 'broken', which: 591 },
      ],
    },
  },
  {
    name: 'whose account is to be deleted, and is not, keeps a place in a protected team',
    scenario: {
      seed: 59837,
      size: 5,
      application: { quirks: ['deleteForbidden', 'membersAbsent', 'cursorsUnannounced', 'bulk'], pageSize: 3 },
      steps: [
        { do: 'manifest', what: 'deleteAfter', value: 708 },
        { do: 'manifest', what: 'protectedTeams', value: 158 },
        RUN,
        { do: 'hire', n: 28 },
        { do: 'leave', who: 811 },
      ],
    },
  },
  {
    name: 'a create arrives twice at an application that does not search by externalId, and the person leaves',
    scenario: {
      seed: 61840,
      size: 3,
      application: { quirks: [], pageSize: 100, tokenLife: 5, profile: 'GitHubOrganization' },
      steps: [
        { do: 'run', faults: [], user: 195, approve: false, resync: false, twin: false },
        {
          do: 'run',
          faults: [{ kind: 'doubled', at: 5, count: 2 }],
          user: null,
          approve: false,
          resync: false,
          twin: false,
        },
        { do: 'leave', who: 922 },
      ],
    },
  },
  {
    // By the check of updates: who refers to an account that is gone refers to nobody.
    name: 'a manager gets another account in place of one that was deleted by hand, and updates are guarded',
    scenario: {
      seed: 63557,
      size: 4,
      application: { quirks: [], pageSize: 100 },
      steps: [
        { do: 'run', faults: [], user: 666, approve: false, resync: false, twin: false },
        {
          do: 'run',
          faults: [{ kind: 'late', at: 1, count: 30 }],
          user: null,
          approve: false,
          resync: false,
          twin: false,
        },
        { do: 'blank', who: 557 },
        RUN,
        { do: 'admin', act: 'drop', which: 791 },
        { do: 'rename', who: 717, value: 88 },
        { do: 'manifest', what: 'updateGuard', value: 419 },
        RUN,
      ],
    },
  },
  {
    name: 'a value is found as it is wanted, and is asked for again because something else waits',
    scenario: {
      seed: 61475,
      size: 5,
      application: { quirks: [], pageSize: 100 },
      steps: [
        { do: 'manifest', what: 'floor', value: 777 },
        RUN,
        { do: 'rotate', who: 258, other: 211 },
        { do: 'manager', who: 129, value: 661 },
        RUN,
        { do: 'store', how: 'rolledBack', which: 664 },
        { do: 'time', ms: 90000000 },
        RUN,
        { do: 'admin', act: 'retitle', which: 480 },
        { do: 'manifest', what: 'updateGuard', value: 812 },
      ],
    },
  },
  {
    // By the check of teams, which did not know of approvals.
    name: 'a team ends with an approval of what a suspect read has held',
    scenario: {
      seed: 68448,
      size: 3,
      application: { quirks: ['membersOneByOne', 'upperIds'], pageSize: 100, tokenLife: 2 },
      steps: [
        { do: 'manifest', what: 'ruleWhenEmpty', value: 29 },
        RUN,
        { do: 'rehire', who: 693 },
        { do: 'leave', who: 879 },
        RUN,
        { do: 'leave', who: 552 },
        RUN,
        { do: 'leave', who: 750 },
      ],
    },
  },
  {
    name: 'who is in a conflict was switched on by hand, which is forgotten when the DirectorySync is deleted',
    scenario: {
      seed: 70715,
      size: 1,
      application: { quirks: [], pageSize: 100 },
      steps: [
        { do: 'manifest', what: 'floor', value: 171 },
        RUN,
        { do: 'leave', who: 41 },
        RUN,
        { do: 'recycle', who: 175 },
        { do: 'hire', n: 796 },
        { do: 'run', faults: [], user: null, approve: true, resync: false, twin: false },
        { do: 'return', who: 226 },
        { do: 'admin', act: 'reactivate', which: 288 },
        { do: 'rotate', who: 760, other: 31 },
      ],
      ending: { policy: 'Deactivate', kills: [14, 31] },
    },
  },
  {
    name: 'a deletion that is refused again and again takes a place in a protected team, or not',
    scenario: {
      seed: 72884,
      size: 8,
      application: { quirks: ['deleteForbidden', 'lowerCaseKeys', 'fewMembers'], pageSize: 100 },
      steps: [
        { do: 'manifest', what: 'outOfScope', value: 202 },
        RUN,
        { do: 'scope', who: 169 },
        { do: 'leave', who: 525 },
        { do: 'manifest', what: 'protectedTeams', value: 79 },
      ],
    },
  },
  {
    name: 'two groups have one name in other letters, and both get a team of that name',
    scenario: {
      seed: 300306,
      size: 9,
      groups: 4,
      application: { quirks: ['activeAsText', 'patchRefused', 'firstPageOnly', 'membersOneByOne'], pageSize: 5 },
      steps: [RUN, { do: 'group', what: 'rename', which: 372, value: 969 }],
    },
  },
  {
    name: 'no teams are made of groups any more, a group is gone, and a rule that asks for groups empties its team',
    scenario: {
      seed: 301194,
      size: 10,
      groups: 4,
      application: { quirks: ['upperIds', 'noBodies', 'lowered', 'lowerCaseKeys'], pageSize: 5, tokenLife: 3600 },
      steps: [
        RUN,
        { do: 'manifest', what: 'groupRule', value: 69 },
        { do: 'group', what: 'vanish', which: 523, value: 103 },
        { do: 'manifest', what: 'provision', value: 613 },
      ],
    },
  },
  {
    // By the oracle: whose name is protected is so under the name that Dirsync gave.
    name: 'the team of a group that is gone is protected, and was renamed by hand',
    scenario: {
      seed: 1343,
      size: 4,
      groups: 3,
      application: {
        quirks: ['deleteForbidden', 'upperIds', 'bulkMissing', 'lowerCaseKeys', 'statusOk', 'fewMembers'],
        pageSize: 5,
      },
      steps: [
        { do: 'manifest', what: 'protectedTeams', value: 727 },
        RUN,
        { do: 'group', what: 'found', which: 746, value: 545 },
        { do: 'group', what: 'vanish', which: 29, value: 99 },
        { do: 'admin', act: 'renameTeam', which: 480 },
      ],
    },
  },
  {
    name: 'one of two groups of a protected name has a suffix, and is protected too',
    scenario: {
      seed: 2845,
      size: 3,
      groups: 2,
      application: { quirks: ['lowered'], pageSize: 5, tokenLife: 2 },
      steps: [
        { do: 'manifest', what: 'protectedTeams', value: 863 },
        { do: 'group', what: 'found', which: 729, value: 560 },
        { do: 'group', what: 'found', which: 795, value: 177 },
        RUN,
        { do: 'scope', who: 906 },
      ],
    },
  },
  {
    name: 'a takeover that never arrived is not taken for done because of the letters of the name',
    scenario: {
      seed: 11003,
      size: 8,
      application: { quirks: [], pageSize: 100 },
      steps: [
        RUN,
        { do: 'hire', n: 825 },
        { do: 'scope', who: 269 },
        { do: 'admin', act: 'namesake', which: 931 },
        { do: 'hire', n: 443 },
        { do: 'rehire', who: 883 },
        { do: 'time', ms: 90_000_000 },
        {
          ...RUN,
          faults: [
            { kind: 'unavailable', at: 8, count: 1 },
            { kind: 'errorBefore', at: 3, count: 1 },
          ],
        },
        { ...RUN, faults: [{ kind: 'columnGone', which: 132 }] },
      ],
    },
  },
  {
    name: 'the clock is set back by a day and more, and what paces requests goes on',
    scenario: {
      seed: 22503,
      size: 8,
      application: { quirks: [], pageSize: 100 },
      steps: [
        { ...RUN, faults: [{ kind: 'diskFull', at: 115, count: 50 }] },
        RUN,
        { do: 'admin', act: 'dropTeam', which: 472 },
        { do: 'jump', ms: -108_000_000 },
      ],
    },
  },
  {
    name: 'a name at the end of a chain is refused again and again, and what is held stays the same set',
    scenario: {
      seed: 30139,
      size: 8,
      application: { quirks: ['noTotals', 'lowerCaseKeys', 'lowered'], pageSize: 3, tokenLife: 2 },
      steps: [
        { do: 'admin', act: 'namesake', which: 660 },
        RUN,
        { do: 'hire', n: 634 },
        { do: 'rotate', who: 843, other: 772 },
        RUN,
        { ...RUN, approve: true },
        { do: 'rotate', who: 680, other: 309 },
        { do: 'swap', who: 211, other: 909 },
        { do: 'time', ms: 90_000_000 },
        RUN,
        { do: 'time', ms: 90_000_000 },
        RUN,
      ],
    },
  },
  {
    // By the oracle: who is called otherwise at the end was protected under the name that their team still has.
    name: 'the team of a group that was renamed and is gone keeps the protection of the name that it has',
    scenario: {
      seed: 35106,
      size: 8,
      groups: 3,
      application: { quirks: [], pageSize: 100, tokenLife: 2 },
      steps: [
        { do: 'manifest', what: 'protectedTeams', value: 442 },
        RUN,
        { do: 'group', what: 'rename', which: 155, value: 861 },
        { do: 'group', what: 'found', which: 781, value: 230 },
        { do: 'group', what: 'vanish', which: 930, value: 42 },
      ],
    },
  },
  {
    // By the check of I1: a clock that was set back since the first read does not put off the second.
    name: 'a second suspect read confirms what the first called for, by a clock that was set back before both',
    scenario: {
      seed: 37833,
      size: 7,
      groups: 3,
      application: {
        quirks: ['cursors', 'lowerCaseKeys', 'deleteUnsupported', 'noTotals', 'lowered', 'noBodies', 'membersEmpty'],
        pageSize: 100,
        tokenLife: 3600,
      },
      steps: [
        { do: 'group', what: 'found', which: 933, value: 829 },
        RUN,
        { do: 'group', what: 'reorder', which: 525, value: 381 },
        { do: 'group', what: 'part', which: 495, value: 18 },
        { ...RUN, faults: [{ kind: 'kill', at: 123, count: 1 }] },
        { do: 'jump', ms: -10_800_000 },
        { ...RUN, faults: [{ kind: 'readBlank', which: 546 }] },
        { do: 'time', ms: 3_600_000 },
        { ...RUN, faults: [{ kind: 'readPartial', which: 433 }] },
      ],
    },
  },
  {
    // By the check of I4: what arrives again when all is done is one rename.
    name: 'a request of a swap arrives once more after the run, and is put right under the limit of renames',
    scenario: {
      seed: 40628,
      size: 3,
      application: { quirks: [], pageSize: 100 },
      steps: [
        RUN,
        { do: 'rotate', who: 491, other: 107 },
        RUN,
        { ...RUN, approve: true, faults: [{ kind: 'late', at: 3, count: 1 }] },
        { do: 'rename', who: 261, value: 333 },
      ],
    },
  },
  {
    // By the check of I13: where groups in groups do not count, one of them that failed says nothing.
    name: 'a group in a group failed, and groups in groups do not count',
    scenario: {
      seed: 45699,
      size: 5,
      groups: 4,
      application: { quirks: [], pageSize: 100 },
      steps: [
        RUN,
        { do: 'group', what: 'part', which: 642, value: 499 },
        { do: 'group', what: 'nest', which: 450, value: 344 },
        { do: 'manifest', what: 'nestedGroups', value: 139 },
        { ...RUN, faults: [{ kind: 'groupFailed', which: 740 }] },
      ],
    },
  },
  {
    // By the check of I4: the copy believes in who has left since, and measures by it.
    name: 'an older copy of the store counts somebody who has left since among those who are there',
    scenario: {
      seed: 48196,
      size: 4,
      application: {
        quirks: ['dropsTitle', 'firstPageOnly', 'upperIds', 'filterIgnored', 'bulk'],
        pageSize: 2,
        tokenLife: 1,
      },
      steps: [
        RUN,
        { do: 'hire', n: 877 },
        { do: 'leave', who: 520 },
        RUN,
        { do: 'hire', n: 580 },
        { do: 'disable', who: 277 },
        { do: 'store', how: 'rolledBack', which: 934 },
        RUN,
        { ...RUN, user: 431, twin: true },
        { do: 'leave', who: 209 },
      ],
    },
  },
  {
    // By the oracle: nobody sees that somebody else has emptied it.
    name: 'a team whose members are not shown was emptied by hand, and its member cannot be read any more',
    scenario: {
      seed: 54702,
      size: 3,
      application: {
        quirks: ['membersEmpty', 'strict', 'noFilter', 'lowerCaseWords', 'noTotals', 'upperIds'],
        pageSize: 100,
        tokenLife: 3600,
      },
      steps: [
        { do: 'manifest', what: 'ruleWhenEmpty', value: 148 },
        RUN,
        { do: 'admin', act: 'removeMember', which: 14 },
        { do: 'blank', who: 480 },
      ],
    },
  },
  {
    name: 'a deletion is refused, and the account was switched off by hand: what is held stays the same set',
    scenario: {
      seed: 58418,
      size: 4,
      groups: 4,
      application: { quirks: ['upperIds', 'membersOneByOne', 'deleteForbidden'], pageSize: 2, tokenLife: 5 },
      steps: [
        { do: 'manifest', what: 'disabledAtSource', value: 574 },
        { do: 'admin', act: 'namesake', which: 696 },
        { do: 'admin', act: 'namesake', which: 438 },
        RUN,
        { do: 'disable', who: 585 },
        { do: 'hire', n: 810 },
        RUN,
        { do: 'disable', who: 664 },
        { do: 'admin', act: 'namesake', which: 419 },
        { do: 'store', how: 'broken', which: 996 },
        RUN,
        { do: 'admin', act: 'deactivate', which: 771 },
      ],
    },
  },
  {
    name: 'the application shows a manager that is cleared as null, and takes another one',
    scenario: {
      seed: 66188,
      size: 9,
      groups: 2,
      application: {
        quirks: ['bulkMissing', 'deleteUnsupported', 'cursorsOnly', 'noTotals', 'lowerCaseWords', 'patchRefused'],
        pageSize: 3,
      },
      steps: [
        { do: 'manifest', what: 'deleteAfter', value: 753 },
        RUN,
        { do: 'leave', who: 122 },
        { do: 'rehire', who: 688 },
      ],
    },
  },
  {
    name: 'who is unknown does not let go of a manager who is deleted',
    scenario: {
      seed: 66454,
      size: 6,
      groups: 2,
      application: { quirks: ['patchRefused', 'firstPageOnly', 'strict', 'statusOk'], pageSize: 3, tokenLife: 3600 },
      steps: [
        { do: 'manifest', what: 'deletedAtSource', value: 511 },
        RUN,
        { do: 'rehire', who: 841 },
        { do: 'leave', who: 529 },
        { do: 'recycle', who: 721 },
        { do: 'rehire', who: 474 },
        RUN,
        { ...RUN, faults: [{ kind: 'columnGone', which: 935 }], approve: true },
      ],
    },
  },
  {
    name: 'letting go of a manager who is deleted counts as the deletion',
    scenario: {
      seed: 67959,
      size: 9,
      application: { quirks: ['dropsTitle'], pageSize: 100, tokenLife: 1 },
      steps: [
        { do: 'manifest', what: 'deleteAfter', value: 949 },
        { ...RUN, user: 468 },
        { do: 'manifest', what: 'updateGuard', value: 243 },
        { ...RUN, user: 884 },
        { do: 'leave', who: 823 },
        { do: 'scope', who: 704 },
      ],
    },
  },
  {
    name: 'a team that hides its members passes for empty where nothing could be seen after the first were added',
    scenario: {
      seed: 210,
      size: 3,
      application: { quirks: ['membersEmpty'], pageSize: 100 },
      steps: [
        { ...RUN, faults: [{ kind: 'gatewayTimeout', at: 17, count: 30 }] },
        { do: 'leave', who: 727 },
      ],
    },
  },
  {
    name: 'a team is named like that of a group which could not be read, and is known by the same beginning of its id',
    scenario: {
      seed: 62117,
      size: 2,
      groups: 3,
      application: PLAIN,
      steps: [
        { do: 'group', what: 'found', which: 329, value: 169 },
        RUN,
        { do: 'group', what: 'rename', which: 357, value: 24 },
        { do: 'group', what: 'reorder', which: 412, value: 989 },
        { do: 'group', what: 'found', which: 181, value: 177 },
        { ...RUN, faults: [{ kind: 'groupFailed', which: 285 }] },
      ],
    },
  },
  {
    name: 'what is held has another hash while the deletion of somebody who refers to it waits for its next try',
    scenario: {
      seed: 64069,
      size: 4,
      application: { quirks: ['deleteForbidden'], pageSize: 100 },
      steps: [
        { do: 'manifest', what: 'floor', value: 54 },
        { do: 'manifest', what: 'deleteAfter', value: 355 },
        RUN,
        { do: 'scope', who: 639 },
        RUN,
        { do: 'leave', who: 471 },
        { do: 'time', ms: 18_000_000 },
        { do: 'leave', who: 445 },
        { do: 'time', ms: 18_000_000 },
        { do: 'leave', who: 922 },
      ],
    },
  },
  {
    // By the check of what a CustomAttribute has written: one that waits for the deletion of another of its name was taken for there.
    name: 'a value that was written by hand where a CustomAttribute was to have its values that never came to be',
    scenario: {
      seed: 56102,
      size: 1,
      features: ['custom'],
      application: PLAIN,
      steps: [
        RUN,
        { do: 'manifest', what: 'customGone', value: 46 },
        { ...RUN, faults: [{ kind: 'stopped', at: 16, count: 1 }] },
        { do: 'admin', act: 'retier', which: 395 },
        { do: 'manifest', what: 'customGone', value: 15 },
        RUN,
        { do: 'manifest', what: 'customGone', value: 819 },
      ],
    },
  },
  {
    name: 'a CustomAttribute goes while somebody who has a value is to be deleted, and comes back',
    scenario: {
      seed: 74276,
      size: 3,
      features: ['custom'],
      application: { quirks: [], pageSize: 100, tokenLife: 2, profile: 'GitHubOrganization' },
      steps: [
        RUN,
        { do: 'leave', who: 46 },
        { do: 'rehire', who: 385 },
        { do: 'manifest', what: 'customGone', value: 355 },
        RUN,
        { do: 'return', who: 852 },
      ],
    },
  },
  {
    name: 'the filter of the source does not find somebody who has come back',
    scenario: {
      seed: 85642,
      size: 1,
      features: ['scopeReads'],
      application: PLAIN,
      steps: [
        { do: 'manifest', what: 'deleteAfter', value: 51 },
        RUN,
        { do: 'rehire', who: 171 },
        RUN,
        { do: 'return', who: 203 },
        { do: 'time', ms: 3600000 },
        { ...RUN, faults: [{ kind: 'readPartial', which: 727 }] },
      ],
    },
  },
  {
    name: 'values of people out of scope are lost between two reads of everybody',
    scenario: {
      seed: 10597,
      size: 6,
      features: ['scopeReads'],
      application: PLAIN,
      steps: [
        { do: 'hire', n: 307 },
        { do: 'scope', who: 641 },
        RUN,
        { do: 'move', who: 74, value: 7 },
        { do: 'leave', who: 812 },
        { do: 'move', who: 212, value: 407 },
        RUN,
      ],
    },
  },
  {
    name: 'somebody out of scope leaves whom a person in scope names as manager',
    scenario: {
      seed: 14939,
      size: 9,
      features: ['chosen', 'managersByMail', 'scopeReads'],
      application: PLAIN,
      steps: [
        { do: 'manifest', what: 'chosenEntry', value: 481 },
        RUN,
        { do: 'hire', n: 238 },
        { do: 'scope', who: 761 },
        { do: 'manager', who: 418, value: 111 },
        { ...RUN, faults: [{ kind: 'halfJson', at: 2, count: 5 }] },
        { do: 'leave', who: 46 },
        { do: 'leave', who: 134 },
        { do: 'leave', who: 121 },
        RUN,
      ],
    },
  },
];
