#!/usr/bin/env -S node --max-semi-space-size=4 --heap-growing-percent=50
// Plain JavaScript, because a Node too old for Dirsync cannot even load its TypeScript files and would end with a
// stack trace (ERR_UNKNOWN_FILE_EXTENSION) that says nothing of the cause.
const OLDEST_MAJOR = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_MAJOR) {
  process.stderr.write(
    `dirsync needs Node ${OLDEST_MAJOR} or later and was started with ${process.versions.node}; in a checkout, \`npm ci\` installs the right one and \`npm run -s dirsync --\` uses it\n`,
  );
  process.exitCode = 1;
} else {
  await import('../src/cli/main.ts');
}
