import path from 'node:path';
import {displayText} from '../core/display.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import {type ExitCode, exitCodes} from '../core/exit-codes.ts';
import {createHashPool} from '../share/hash-pool.ts';
import {type Command, printEvent, printJson, printLine} from './context.ts';

/** `p2p-tui hash <file…>`: content IDs as `sha256sum` prints its sums, in the order given; a file that fails is told and the rest done. */
export const command: Command = async context => {
	const {input, json, signal} = context;
	if (input.length === 0)
		throw new P2pError('usage', 'Which files should be hashed?', {hint: 'Example: p2p-tui hash *.iso'});
	const pool = createHashPool();
	let exit: ExitCode = exitCodes.done;
	try {
		const results = input.map(file =>
			pool.hash(path.resolve(file), {signal}).then(
				hashed => ({hashed}),
				(error: unknown) => ({error}),
			),
		);
		for (const [i, file] of input.entries()) {
			const result = await results[i]!;
			if ('error' in result) {
				if (signal.aborted || !(result.error instanceof P2pError)) throw result.error;
				exit = exitCodes.failed;
				if (json) printEvent('error', {code: result.error.code, message: errorLine(result.error), name: file});
				process.stderr.write(`p2p-tui: ${displayText(errorLine(result.error))}\n`);
			} else if (json) printJson({content: result.hashed.content, name: file, size: result.hashed.size});
			else printLine(`${result.hashed.content}  ${displayText(file)}`);
		}
		return exit;
	} finally {
		await pool.close();
	}
};
