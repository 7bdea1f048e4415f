// A linear text interface: a prompt for commands, and events as lines. For screen readers, and for dumb terminals.
import {createInterface} from 'node:readline';
import {absoluteFolder} from '../../config/data-folders.ts';
import {displayText} from '../../core/display.ts';
import {errorLine} from '../../core/errors.ts';
import type {EngineEvents} from '../../core/events.ts';
import type {PeerEngine} from '../../engine/messages.ts';
import {type PlainCommand, type PlainState, plainCommands} from './commands.ts';

/** Where the person types and reads. */
export type PlainTerminal = {input: NodeJS.ReadableStream; output: NodeJS.WritableStream};

/** Progress is asked for with `transfers`: told by itself it would talk over everything. */
export const plainEvents: Array<keyof EngineEvents> = [
	'listening',
	'registered',
	'peer-joined',
	'peer-left',
	'upload-failed',
	'download-started',
	'download-finished',
	'download-failed',
	'server-lost',
	'server-back',
	'error',
	'log',
];

/** Rows of the long lists that are printed at most. */
const listPrinted = 200;

const ending = ['quit', 'exit', 'q'];

/** The help: every command on a line. */
export function plainHelp(): string[] {
	const lines = plainCommands.map(({name, usage, help}) => `${usage === '' ? name : `${name} ${usage}`}: ${help}`);
	return [
		'Type a command and press Enter. The start of its name is enough.',
		...lines,
		'help: this list',
		'quit: end the program',
	];
}

/** The command that a word means: its name, or a start that no other has. */
export function findCommand(word: string): PlainCommand | undefined {
	const exact = plainCommands.find(({name}) => name === word);
	if (exact) return exact;
	const found = plainCommands.filter(({name}) => name.startsWith(word));
	return word !== '' && found.length === 1 ? found[0] : undefined;
}

/**
 * Reads commands until `quit` or the end of the input; then stops the engine. Nothing that a command does wrong ends it.
 * Events are printed by the caller, from before the engine started: {@link plainEvents}.
 */
export async function runPlainPeer(
	engine: PeerEngine,
	{input, output}: PlainTerminal,
	signal: AbortSignal,
	save?: PlainState['save'],
): Promise<void> {
	const lines = createInterface({input, output, prompt: '> ', terminal: false});
	const print = (line: string) => output.write(`${line}\n`);
	const state: PlainState = {engine, hits: [], transfers: [], print, save};
	// Without someone who watches, an engine makes no snapshots of its own.
	const stopWatching = engine.subscribe(() => {});
	// A list is printed whole as far as anybody would listen; a screen asks for what it shows.
	void engine.commands
		.windows({transfers: {offset: 0, rows: listPrinted}, peers: {offset: 0, rows: listPrinted}})
		.catch(() => {});
	const stop = () => lines.close();
	signal.addEventListener('abort', stop, {once: true});
	void engine.ended.then(stop, stop);
	print('Ready. Type help for the commands.');
	lines.prompt();
	try {
		for await (const line of lines) {
			const [, word = '', argument = ''] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
			const name = word.toLowerCase();
			if (ending.includes(name)) break;
			if (name !== '') await run(name, argument);
			lines.prompt();
		}
	} finally {
		signal.removeEventListener('abort', stop);
		lines.close();
		stopWatching();
		print('Stopping: what is here is kept');
		await engine.stop();
	}

	async function run(name: string, argument: string): Promise<void> {
		if (name === 'help' || name === '?') {
			for (const text of plainHelp()) print(text);
			return;
		}
		const command = findCommand(name);
		if (!command) {
			print(`There is no command ${displayText(name)}. Type help for the commands.`);
			return;
		}
		try {
			await command.run(state, command.name === 'share' && argument !== '' ? absoluteFolder(argument) : argument);
		} catch (error) {
			print(`Error: ${displayText(errorLine(error))}`);
		}
	}
}
