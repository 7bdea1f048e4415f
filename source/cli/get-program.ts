// `p2p-tui get` as a program file of its own (build.ts): it starts in a fifth less time than among all others.
import {loadGet} from './load-get.ts';
import {runProgram} from './program.ts';

await runProgram({get: loadGet});
