import {type Flags, peerOptions, serverOptions} from '../config/settings.ts';
import {P2pError} from '../core/errors.ts';
import {EngineBus} from '../core/events.ts';
import {type ExitCode, exitCodes} from '../core/exit-codes.ts';
import {createIndexServer} from '../engine/create-index-server.ts';
import {createPeer} from '../engine/create-peer.ts';
import {printEvents} from '../headless/print-events.ts';
import {type Command, type CommandContext, printLine} from './context.ts';
import {isInteractive, screenOf} from './interactive.ts';
import {settle, withLastServers} from './settle.ts';

/** No command: a server or a peer, on the screen or without one; the start menu where no mode is given. */
export const command: Command = async context => {
	const {mode} = context;
	if (mode !== undefined && mode !== 'server' && mode !== 'peer')
		throw new P2pError('usage', `The mode is server or peer, not ${mode}`);
	if (isInteractive(context)) return screenOf(context, mode === undefined ? {kind: 'menu'} : {kind: 'launch', mode});
	if (mode === undefined) {
		throw new P2pError('usage', 'Without a terminal there is no start menu', {
			hint: 'Give --mode server, --mode peer, or a command; see --help',
		});
	}
	return runHeadless(context, mode);
};

async function runHeadless(context: CommandContext, mode: 'server' | 'peer'): Promise<ExitCode> {
	// Wrong settings are told before a data folder is made or taken.
	if (mode === 'server') serverOptions(context.flags, '');
	else peerOptions(context.flags, '');
	const {flags, owned} = settle(mode, context.flags);
	const bus = new EngineBus();
	const stopPrinting = printEvents(bus, {json: context.json, write: printLine});
	try {
		if (owned.instance > 1)
			bus.emit('log', {
				level: 'info',
				message: `another ${mode} runs here already, so this one uses the data folder ${owned.folder}`,
			});
		const {handle} =
			mode === 'server'
				? await createIndexServer(serverOptions(flags, owned.folder), bus)
				: await startPeer(flags, owned.folder, bus);
		const stop = () => void handle.stop();
		if (context.signal.aborted) stop();
		else context.signal.addEventListener('abort', stop, {once: true});
		await handle.ended;
		return exitCodes.done;
	} finally {
		stopPrinting();
		owned.lock.release();
	}
}

async function startPeer(flags: Flags, dataDir: string, bus: EngineBus) {
	const options = peerOptions(withLastServers(flags, dataDir), dataDir);
	if (options.servers.length === 0) {
		throw new P2pError('no-server', 'No index server is known', {
			hint: 'Name one with --server HOST, or start one with: p2p-tui --mode server',
		});
	}
	return createPeer(options, bus);
}
