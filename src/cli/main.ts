/** Entry of the binary `dirsync`. */
import { createProcessIo } from './io.ts';
import { runCli } from './program.ts';

process.exitCode = await runCli(process.argv.slice(2), createProcessIo());
