/** Entry of the binary `dirsync`. */
import { createProcessIo } from './io.ts';
import { runCli } from './program.ts';

process.exitCode = await runCli(process.argv.slice(2), createProcessIo());
// A second signal cuts requests, but what hangs elsewhere must not keep a process whose work is over.
process.stdin.unref?.();
