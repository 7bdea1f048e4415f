import {configFile, writeConfigFile} from '../config/config-file.ts';
import {dataFolderFor} from '../config/data-folders.ts';
import {defaultPreferences, type Preferences} from '../config/preferences.ts';
import {lastServers} from '../config/remembered.ts';
import {type Flags, mergeFlags, peerOptions, serverOptions} from '../config/settings.ts';
import {defaultPorts} from '../core/address.ts';
import {P2pError} from '../core/errors.ts';
import type {ExitCode} from '../core/exit-codes.ts';
import type {PeerEngine, ServerEngine} from '../engine/messages.ts';
import {watchServers} from '../net/discovery.ts';
import type {LaunchRequest, TuiOptions} from '../tui/run-tui.tsx';
import type {CommandContext} from './context.ts';
import {noServerForPeer} from './no-server.ts';
import {settle, withLastServers} from './settle.ts';

/** What the screen begins with. `launch`: an engine of that mode by the flags given. */
export type ScreenStart =
	| {kind: 'menu'}
	| {kind: 'launch'; mode: 'server' | 'peer'}
	| {kind: 'engine'; mode: 'server' | 'peer'; handle: PeerEngine | ServerEngine};

/** Whether there is a person at a terminal who wants a screen. */
export function isInteractive({headless, plain, json}: CommandContext): boolean {
	return !headless && !plain && !json && process.stdout.isTTY === true && process.stdin.isTTY === true;
}

/** Draws until the person quits. Engines run in a thread of their own, so that neither they nor the screen wait. */
export async function screenOf(context: CommandContext, start: ScreenStart): Promise<ExitCode> {
	const ends: Array<() => unknown> = [];
	/** Where settings are kept: the data folder of the engine that runs. */
	let folder = dataFolderFor(start.kind === 'launch' ? start.mode : 'peer', context.flags.dataDir);
	const own: Own = async (mode, given, start) => {
		const {flags, owned} = settle(mode, given);
		try {
			const engine = await start(flags, owned.folder);
			ends.push(() => owned.lock.release());
			folder = owned.folder;
			return engine;
		} catch (error) {
			// The person may correct what was wrong and try again, with the same folder.
			owned.lock.release();
			throw error;
		}
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
		return startEngine(request.mode, given, own, context.signal);
	};
	try {
		const {runTui} = await import('../tui/run-tui.tsx');
		const begin = await beginning(start, mode => startEngine(mode, context.flags, own, context.signal));
		const {exitCode} = await runTui({
			start: begin,
			launch,
			settings: {ascii: context.ascii || undefined},
			preferences: () => shownPreferences(folder, context),
			savePreferences: changes => writeConfigFile(folder, changes),
			watchServers(onChange) {
				const watch = watchServers(onChange);
				return () => watch.stop();
			},
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

/** The engine's screen; the prompt where a peer lacks only the name of its server, which a person can type. */
async function beginning(
	start: ScreenStart,
	launch: (mode: 'server' | 'peer') => Promise<PeerEngine | ServerEngine>,
): Promise<TuiOptions['start']> {
	if (start.kind !== 'launch') return start;
	try {
		return {kind: 'engine', mode: start.mode, handle: await launch(start.mode)};
	} catch (error) {
		if (!(error instanceof P2pError) || error.code !== 'no-server') throw error;
		return {kind: 'menu', form: 'peer', note: `${error.message}. Where does one run?`};
	}
}

/** What was set on the screen before, below what flags say now. A broken config file is told when it is used. */
function shownPreferences(folder: string, {theme, screen, flags}: CommandContext): Preferences {
	let kept: Preferences = {};
	try {
		const {theme: chosen, limitDown, limitUp, slots, running, mouse, bell, title, notify} = configFile(folder);
		kept = {theme: chosen, mouse, bell, title, notify};
		const limits = peerOptions(mergeFlags(flags, {limitDown, limitUp, slots, running}), '');
		Object.assign(kept, {
			limitDown: limits.limitDown,
			limitUp: limits.limitUp,
			slots: limits.slots,
			running: limits.running,
		});
	} catch {
		kept = {};
	}
	const given = Object.entries({...kept, ...(theme && {theme}), ...screen}).filter(([, value]) => value !== undefined);
	return {...defaultPreferences, ...Object.fromEntries(given)};
}

/** Starts an engine with the data folder of its mode, which stays taken while it runs. */
type Own = (
	mode: 'server' | 'peer',
	given: Flags,
	start: (flags: Flags, folder: string) => Promise<PeerEngine | ServerEngine>,
) => Promise<PeerEngine | ServerEngine>;

async function startEngine(
	mode: 'server' | 'peer',
	given: Flags,
	own: Own,
	signal: AbortSignal,
): Promise<PeerEngine | ServerEngine> {
	const {startPeerInWorker, startServerInWorker} = await import('../engine/worker-handle.ts');
	if (mode === 'server') {
		serverOptions(given, '');
		return own(mode, given, (flags, folder) => startServerInWorker(serverOptions(flags, folder)));
	}
	peerOptions(given, '');
	return own(mode, given, async (flags, folder) => {
		const options = peerOptions(withLastServers(flags, folder), folder);
		if (options.servers.length === 0 && !options.dht) throw await noServerForPeer(signal);
		return startPeerInWorker(options);
	});
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
