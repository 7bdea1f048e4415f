// The thread in which an engine runs while a screen is drawn. The module it runs is the one that headless mode runs in
// the main thread.
import {parentPort, workerData} from 'node:worker_threads';
import {errorLine, P2pError} from '../core/errors.ts';
import {createIndexServer} from './create-index-server.ts';
import {createPeer} from './create-peer.ts';
import type {PeerSnapshot, PlainError, ServerSnapshot} from './messages.ts';
import {changeBetween} from './snapshot-parts.ts';
import type {EngineRequest, FromWorker, ToWorker} from './worker-messages.ts';

const port = parentPort!;
const send = (message: FromWorker) => port.postMessage(message);

/** An error as it crosses threads, where classes are lost. */
function plain(error: unknown): PlainError {
	if (error instanceof P2pError)
		return {code: error.code, message: error.message, hint: error.hint, details: error.details};
	return {
		code: 'internal',
		message: errorLine(error),
		details: {stack: error instanceof Error ? error.stack : undefined},
	};
}

async function start(request: EngineRequest) {
	return request.mode === 'server' ? createIndexServer(request.options) : createPeer(request.options);
}

try {
	const {handle} = await start(workerData as EngineRequest);
	let sent: PeerSnapshot | ServerSnapshot = handle.snapshot();
	send({kind: 'ready', snapshot: sent});
	let waiting = false;
	let stale = false;
	// One snapshot is on its way at a time: a screen that is slow to draw gets fewer, not a growing heap of them.
	const offer = () => {
		if (waiting) {
			stale = true;
			return;
		}
		stale = false;
		const next = handle.snapshot();
		const change = changeBetween(sent, next);
		if (!change) return;
		sent = next;
		waiting = true;
		send({kind: 'snapshot', change});
	};
	handle.subscribe(offer);
	port.on('message', async (message: ToWorker) => {
		if (message.kind === 'drawn') {
			waiting = false;
			if (stale) offer();
			return;
		}
		try {
			const commands = handle.commands as unknown as Record<string, (request: unknown) => Promise<unknown>>;
			const command = message.name === 'stop' ? () => handle.stop() : commands[message.name];
			if (!command) throw new Error(`There is no command ${message.name}`);
			send({kind: 'answer', id: message.id, value: await command(message.request)});
		} catch (error) {
			send({kind: 'answer', id: message.id, error: plain(error)});
		}
	});
	handle.ended.then(
		() => send({kind: 'ended'}),
		error => send({kind: 'ended', error: plain(error)}),
	);
} catch (error) {
	send({kind: 'failed', error: plain(error)});
}
