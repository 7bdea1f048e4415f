import meow from 'meow';
import {type Command, type CommandContext, tellError, withEnvironment} from './cli/context.ts';
import {helpText} from './cli/help.ts';
import {P2pError} from './core/errors.ts';
import {exitCodes} from './core/exit-codes.ts';
import {keepNurserySmall} from './core/nursery.ts';
import {version} from './core/version.ts';

const commands: Record<string, () => Promise<{command: Command}>> = {
	search: () => import('./cli/search.ts'),
	get: async () => {
		// Node's thread pool brings files to the disk: what is asked for at once the system writes down together. To be set
		// before the pool's first use.
		process.env.UV_THREADPOOL_SIZE ??= '16';
		(await import('./download/worker-stock.ts')).readyTransferWorkers();
		return import('./cli/get.ts');
	},
	peers: () => import('./cli/peers.ts'),
	ls: () => import('./cli/ls.ts'),
	hash: () => import('./cli/hash.ts'),
	servers: () => import('./cli/servers.ts'),
	trust: () => import('./cli/trust.ts'),
	id: () => import('./cli/id.ts'),
	block: () => import('./cli/block.ts'),
	unblock: async () => ({command: (await import('./cli/block.ts')).unblock}),
	invite: () => import('./cli/invite.ts'),
	invites: () => import('./cli/invites.ts'),
	members: () => import('./cli/members.ts'),
	remove: async () => ({command: (await import('./cli/members.ts')).remove}),
	share: () => import('./cli/share.ts'),
	leave: () => import('./cli/leave.ts'),
	backup: () => import('./cli/backup.ts'),
	migrate: () => import('./cli/migrate.ts'),
	demo: () => import('./cli/demo.ts'),
};

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
	if (name === undefined) return (await import('./cli/run-mode.ts')).command(context);
	const load = commands[name];
	if (!load) throw new P2pError('usage', `There is no command "${name}"`, {hint: 'See p2p-tui --help'});
	if (mode !== undefined && name !== 'id') throw new P2pError('usage', `--mode does not go with the command ${name}`);
	return (await load()).command(context);
}

try {
	process.exitCode = await main();
} catch (error) {
	process.exitCode = tellError(error, context);
}
// A handle that something forgot to close must not keep a program alive whose work is done.
setTimeout(() => process.exit(), 3000).unref();
