/** How a child process of the conformance suite opens the store. */
export { openSqliteStore as open } from '../../../src/state/sqlite/store.ts';
