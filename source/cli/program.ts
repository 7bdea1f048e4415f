import meow from 'meow';
import {P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import {keepNurserySmall} from '../core/nursery.ts';
import {version} from '../core/version.ts';
import {type Command, type CommandContext, tellError, withEnvironment} from './context.ts';
import {helpText} from './help.ts';

/** The commands that a program file has, by name, each loaded when it is asked for. */
export type Commands = Record<string, () => Promise<{command: Command}>>;

/**
 * Reads the command line, runs what it asks for, and leaves the exit code.
 *
 * @param runMode what is run where no command is named
 */
export async function runProgram(commands: Commands, runMode?: () => Promise<{command: Command}>): Promise<void> {
	const cli = meow(helpText, {
		importMeta: import.meta,
		pkg: {name: 'p2p-tui', version},
		description: 'p2p-tui: share files between your own machines, from a terminal',
		allowUnknownFlags: false,
		booleanDefault: undefined,
		flags: {
			mode: {type: 'string'},
			host: {type: 'string'},
			port: {type: 'string'},
			server: {type: 'string', isMultiple: true},
			share: {type: 'string', isMultiple: true},
			downloads: {type: 'string'},
			name: {type: 'string'},
			dataDir: {type: 'string'},
			from: {type: 'string', isMultiple: true},
			to: {type: 'string'},
			prefix: {type: 'string'},
			announce: {type: 'boolean'},
			private: {type: 'boolean'},
			open: {type: 'boolean'},
			uses: {type: 'string'},
			expires: {type: 'string'},
			withdraw: {type: 'string'},
			qr: {type: 'boolean'},
			store: {type: 'string'},
			maxFilesPerPeer: {type: 'string'},
			retentionDays: {type: 'string'},
			dht: {type: 'boolean'},
			network: {type: 'string'},
			bootstrap: {type: 'string', isMultiple: true},
			for: {type: 'string', isMultiple: true},
			export: {type: 'string'},
			import: {type: 'string'},
			force: {type: 'boolean'},
			limitDown: {type: 'string'},
			limitUp: {type: 'string'},
			slots: {type: 'string'},
			running: {type: 'string'},
			theme: {type: 'string', choices: ['dark', 'light']},
			ascii: {type: 'boolean'},
			mouse: {type: 'boolean'},
			bell: {type: 'boolean'},
			title: {type: 'boolean'},
			notify: {type: 'boolean'},
			plain: {type: 'boolean'},
			headless: {type: 'boolean'},
			json: {type: 'boolean'},
			debug: {type: 'boolean'},
		},
	});

	const {
		mode,
		from,
		to,
		json,
		headless,
		debug,
		theme,
		mouse,
		bell,
		title,
		notify,
		plain,
		ascii,
		export: exportFile,
		import: importFile,
		force,
		uses,
		expires,
		withdraw,
		qr,
		for: audience,
		...settings
	} = cli.flags;
	const interrupted = new AbortController();
	const context: CommandContext = {
		input: cli.input.slice(1),
		flags: settings,
		mode,
		from: from ?? [],
		to,
		exportFile,
		importFile,
		force: force ?? false,
		audience: audience ?? [],
		invite: {uses, expires, withdraw, qr},
		json: json ?? false,
		headless: headless ?? false,
		debug: debug ?? false,
		theme: theme as 'dark' | 'light' | undefined,
		ascii: ascii ?? false,
		screen: {mouse, bell, title, notify},
		plain: plain ?? process.env.INK_SCREEN_READER === 'true',
		signal: interrupted.signal,
	};

	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
		process.on(name, () => {
			// The second time the person means it.
			if (interrupted.signal.aborted) process.exit(exitCodes.interrupted);
			interrupted.abort(new P2pError('cancelled', 'Interrupted'));
		});
	}
	// A reader that went away (`p2p-tui peers | head -1`) ends the program quietly.
	process.stdout.on('error', error => {
		if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(exitCodes.done);
		throw error;
	});

	async function main(): Promise<number> {
		context.flags = withEnvironment(settings);
		const [name] = cli.input;
		// Not for an index server, nor for what draws: they have the memory, and search and draw all the time. Commands are over
		// soon; `get` does it when it has begun.
		const draws = process.stdout.isTTY === true && !context.headless && !context.json;
		if (name === undefined && mode === 'peer' && !draws) keepNurserySmall();
		const load = name === undefined ? runMode : commands[name];
		if (!load) throw new P2pError('usage', `There is no command "${name}"`, {hint: 'See p2p-tui --help'});
		if (name !== undefined && mode !== undefined && name !== 'id')
			throw new P2pError('usage', `--mode does not go with the command ${name}`);
		return (await load()).command(context);
	}

	try {
		process.exitCode = await main();
	} catch (error) {
		process.exitCode = tellError(error, context);
	}
	// A handle that something forgot to close must not keep a program alive whose work is done.
	setTimeout(() => process.exit(), 3000).unref();
}
