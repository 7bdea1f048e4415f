import {createInterface} from 'node:readline/promises';
import type {PlainTerminal} from './plain-terminal.ts';

/**
 * Asks a question in a line of its own until the answer passes.
 *
 * @param wrong what is wrong with an answer, or undefined
 * @throws the signal's reason when aborted
 */
export async function askLine(
	question: string,
	wrong: (answer: string) => string | undefined,
	{input, output}: PlainTerminal,
	signal: AbortSignal,
): Promise<string> {
	const lines = createInterface({input, output, terminal: false});
	try {
		for (;;) {
			const answer = (await lines.question(`${question} `, {signal})).trim();
			const message = wrong(answer);
			if (message === undefined) return answer;
			output.write(`${message}\n`);
		}
	} finally {
		lines.close();
	}
}
