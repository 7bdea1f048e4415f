import {writeConfigFile} from '../config/config-file.ts';
import {type Flags, peerOptions, serverAddress, serverOptions} from '../config/settings.ts';
import {errorLine, P2pError} from '../core/errors.ts';
import {EngineBus} from '../core/events.ts';
import {type ExitCode, exitCodes} from '../core/exit-codes.ts';
import {createIndexServer} from '../engine/create-index-server.ts';
import {createPeer} from '../engine/create-peer.ts';
import type {PeerEngine, ServerEngine} from '../engine/messages.ts';
import {gatherLines} from '../headless/gather-lines.ts';
import {askLine} from '../headless/plain/ask.ts';
import {plainEvents, runPlainPeer, runPlainServer} from '../headless/plain/plain-session.ts';
import {PlainTerminal} from '../headless/plain/plain-terminal.ts';
import {printEvents} from '../headless/print-events.ts';
import {type Command, type CommandContext, printLine} from './context.ts';
import {isInteractive, screenOf} from './interactive.ts';
import {noServerForPeer} from './no-server.ts';
import {settle, withLastServers} from './settle.ts';

/** No command: a server or a peer, on the screen or without one; the start menu where no mode is given. */
export const command: Command = async context => {
	const {mode} = context;
	if (mode !== undefined && mode !== 'server' && mode !== 'peer')
		throw new P2pError('usage', `The mode is server or peer, not ${mode}`);
	if (isInteractive(context)) return screenOf(context, mode === undefined ? {kind: 'menu'} : {kind: 'launch', mode});
	if (context.plain && !context.json) return runPlain(context, mode);
	if (mode === undefined) {
		throw new P2pError('usage', 'Without a terminal there is no start menu', {
			hint: 'Give --mode server, --mode peer, or a command; see --help',
		});
	}
	return runHeadless(context, mode);
};

const terminal = new PlainTerminal(process.stdin, process.stdout);

/** The linear interface: what the prompts of the start menu ask is asked line by line. */
async function runPlain(context: CommandContext, given: 'server' | 'peer' | undefined): Promise<ExitCode> {
	const {signal} = context;
	const isMode = (answer: string) => (/^(server|peer)$/i.test(answer) ? undefined : 'Type server, or peer');
	const mode =
		given ?? ((await askLine('Run a server or a peer?', isMode, terminal, signal)).toLowerCase() as 'server' | 'peer');
	if (mode === 'server') return runHeadless(context, mode);
	try {
		return await runHeadless(context, mode);
	} catch (error) {
		if (!(error instanceof P2pError) || error.code !== 'no-server') throw error;
		printLine(`${error.message}.`);
		const isAddress = (answer: string) => {
			try {
				serverAddress(answer);
				return undefined;
			} catch (wrong) {
				return errorLine(wrong);
			}
		};
		const server = await askLine('Address of the index server? 0 is this machine.', isAddress, terminal, signal);
		return runHeadless({...context, flags: {...context.flags, server: [server]}}, mode);
	}
}

async function runHeadless(context: CommandContext, mode: 'server' | 'peer'): Promise<ExitCode> {
	// Wrong settings are told before a data folder is made or taken.
	if (mode === 'server') serverOptions(context.flags, '');
	else peerOptions(context.flags, '');
	const {flags, owned} = settle(mode, context.flags);
	const bus = new EngineBus();
	const isPlain = context.plain && !context.json;
	const stopPrinting = printEvents(bus, {
		json: context.json,
		write: gatherLines(lines => terminal.tell(lines)),
		...(isPlain && mode === 'peer' && {only: plainEvents}),
	});
	try {
		if (owned.instance > 1)
			bus.emit('log', {
				level: 'info',
				message: `another ${mode} runs here already, so this one uses the data folder ${owned.folder}`,
			});
		const {handle} =
			mode === 'server'
				? await createIndexServer(serverOptions(flags, owned.folder), bus)
				: await startPeer(flags, owned.folder, bus, context.signal);
		if (isPlain && mode === 'server') {
			await runPlainServer(handle as ServerEngine, terminal, context.signal);
			return exitCodes.done;
		}
		if (isPlain) {
			await runPlainPeer(handle as PeerEngine, terminal, context.signal, changes =>
				writeConfigFile(owned.folder, changes),
			);
			return exitCodes.done;
		}
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

async function startPeer(flags: Flags, dataDir: string, bus: EngineBus, signal: AbortSignal) {
	const options = peerOptions(withLastServers(flags, dataDir), dataDir);
	if (options.servers.length === 0 && !options.dht) throw await noServerForPeer(signal);
	return createPeer(options, bus);
}
