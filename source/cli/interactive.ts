import {dataFolderFor, type OwnedDataFolder} from '../config/data-folders.ts';
import {lastServers} from '../config/remembered.ts';
import {type Flags, mergeFlags, peerOptions, serverOptions} from '../config/settings.ts';
import {defaultPorts} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import type {ExitCode} from '../core/exit-codes.ts';
import type {PeerEngine, ServerEngine} from '../engine/messages.ts';
import type {LaunchRequest} from '../tui/run-tui.tsx';
import type {CommandContext} from './context.ts';
import {settle, withLastServers} from './settle.ts';

/** What the screen begins with. `launch`: an engine of that mode by the flags given. */
export type ScreenStart =
	| {kind: 'menu'}
	| {kind: 'launch'; mode: 'server' | 'peer'}
	| {kind: 'engine'; mode: 'server' | 'peer'; handle: PeerEngine | ServerEngine};

/** Whether there is a person at a terminal who wants a screen. */
export function isInteractive({headless, json}: CommandContext): boolean {
	return !headless && !json && process.stdout.isTTY === true && process.stdin.isTTY === true;
}

/** Draws until the person quits. Engines run in a thread of their own, so that neither they nor the screen wait. */
export async function screenOf(context: CommandContext, start: ScreenStart): Promise<ExitCode> {
	const ends: Array<() => unknown> = [];
	const own = (mode: 'server' | 'peer', given: Flags): {flags: Flags; owned: OwnedDataFolder} => {
		const settled = settle(mode, given);
		ends.push(() => settled.owned.lock.release());
		return settled;
	};
	const launch = async (request: LaunchRequest): Promise<PeerEngine | ServerEngine> => {
		if (request.mode === 'demo') {
			const {runDemo} = await import('../engine/demo.ts');
			const demo = await runDemo(() => undefined, context.signal);
			ends.push(() => demo.stop());
			if (!demo.verified) throw new P2pError('corrupt', 'The downloaded bytes are not those that were shared');
			return demo.peer;
		}
		const given = mergeFlags(requestFlags(request), context.flags);
		return startEngine(request.mode, given, own);
	};
	try {
		const {runTui} = await import('../tui/run-tui.tsx');
		const begin =
			start.kind === 'launch'
				? {kind: 'engine' as const, mode: start.mode, handle: await startEngine(start.mode, context.flags, own)}
				: start;
		const {exitCode} = await runTui({
			start: begin,
			launch,
			settings: {theme: context.theme, ascii: context.ascii || undefined},
			defaults: {
				serverPort: defaultPorts.server,
				peerPort: defaultPorts.peer,
				server: context.flags.server?.[0] ?? lastServers(dataFolderFor('peer', context.flags.dataDir))[0],
				share: context.flags.share?.[0],
				name: context.flags.name,
			},
		});
		return exitCode as ExitCode;
	} finally {
		for (const end of ends.toReversed()) await end();
	}
}

type Own = (mode: 'server' | 'peer', given: Flags) => {flags: Flags; owned: OwnedDataFolder};

async function startEngine(mode: 'server' | 'peer', given: Flags, own: Own): Promise<PeerEngine | ServerEngine> {
	const {startPeerInWorker, startServerInWorker} = await import('../engine/worker-handle.ts');
	if (mode === 'server') {
		serverOptions(given, '');
		const {flags, owned} = own(mode, given);
		return startServerInWorker(serverOptions(flags, owned.folder));
	}
	peerOptions(given, '');
	const {flags, owned} = own(mode, given);
	const options = peerOptions(withLastServers(flags, owned.folder), owned.folder);
	if (options.servers.length === 0) {
		throw new P2pError('no-server', 'No index server is known', {
			hint: 'Name one with --server HOST, or start p2p-tui without --mode for the menu',
		});
	}
	return startPeerInWorker(options);
}

/** What was typed at the prompts, as flags. */
function requestFlags(request: Exclude<LaunchRequest, {mode: 'demo'}>): Flags {
	const port = request.port === undefined ? undefined : String(request.port);
	if (request.mode === 'server') return {host: request.host, port};
	return {
		server: [request.server],
		port,
		share: request.share === undefined ? undefined : [request.share],
		name: request.name,
	};
}
