// A linear text interface: a prompt for commands, and events as lines. For screen readers, and for dumb terminals.
import {absoluteFolder} from '../../config/data-folders.ts';
import {displayText} from '../../core/display.ts';
import {errorLine} from '../../core/errors.ts';
import type {EngineEvents} from '../../core/events.ts';
import type {PeerEngine, ServerEngine} from '../../engine/messages.ts';
import {type PlainCommand, type PlainState, plainCommands} from './commands.ts';
import type {PlainTerminal} from './plain-terminal.ts';
import {serverCommands} from './server-commands.ts';

/** What the help and the finding of a command need of it. */
type Named = Pick<PlainCommand, 'name' | 'usage' | 'help'>;

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
export function plainHelp(commands: readonly Named[] = plainCommands): string[] {
	const lines = commands.map(({name, usage, help}) => `${usage === '' ? name : `${name} ${usage}`}: ${help}`);
	return [
		'Type a command and press Enter. The start of its name is enough.',
		...lines,
		'help: this list',
		'quit: end the program',
	];
}

/** The command that a word means: its name, or a start that no other has. */
export function findCommand<Command extends Named>(word: string, commands: readonly Command[]): Command | undefined {
	const exact = commands.find(({name}) => name === word);
	if (exact) return exact;
	const found = commands.filter(({name}) => name.startsWith(word));
	return word !== '' && found.length === 1 ? found[0] : undefined;
}

/** Reads a peer's commands until `quit`; events are printed by the caller, from before it started: {@link plainEvents}. */
export function runPlainPeer(
	engine: PeerEngine,
	terminal: PlainTerminal,
	signal: AbortSignal,
	save?: PlainState['save'],
): Promise<void> {
	return runSession(engine, terminal, signal, plainCommands, print => ({engine, hits: [], transfers: [], print, save}));
}

/** Reads a server's commands until `quit`. */
export function runPlainServer(engine: ServerEngine, terminal: PlainTerminal, signal: AbortSignal): Promise<void> {
	return runSession(engine, terminal, signal, serverCommands, print => ({engine, print}));
}

/** Reads commands until `quit` or the end of the input; then stops the engine. Nothing that a command does wrong ends it. */
async function runSession<State>(
	engine: PeerEngine | ServerEngine,
	terminal: PlainTerminal,
	signal: AbortSignal,
	commands: readonly PlainCommand<State>[],
	stateFor: (print: (line: string) => void) => State,
): Promise<void> {
	const print = (line: string) => terminal.print(line);
	const state = stateFor(print);
	// Without someone who watches, an engine makes no snapshots of its own.
	const stopWatching = engine.subscribe(() => {});
	// A list is printed whole as far as anybody would listen; a screen asks for what it shows.
	const window = {offset: 0, rows: listPrinted};
	void engine.commands.windows({transfers: window, peers: window}).catch(() => {});
	const over = new AbortController();
	const stop = () => over.abort();
	void engine.ended.then(stop, stop);
	print('Ready. Type help for the commands.');
	try {
		// Ctrl-C is the program's matter: the second one does not wait for a clean stop.
		const interrupt = () => process.kill(process.pid, 'SIGINT');
		for await (const line of terminal.ask(AbortSignal.any([signal, over.signal]), interrupt)) {
			const [, word = '', argument = ''] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
			const name = word.toLowerCase();
			if (ending.includes(name)) break;
			if (name !== '') await run(name, argument);
		}
	} finally {
		stopWatching();
		print('Stopping: what is here is kept');
		await engine.stop();
	}

	async function run(name: string, argument: string): Promise<void> {
		if (name === 'help' || name === '?') {
			for (const text of plainHelp(commands)) print(text);
			return;
		}
		const command = findCommand(name, commands);
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
