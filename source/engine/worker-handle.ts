import type {PeerOptions, ServerOptions} from '../config/options.ts';
import {P2pError} from '../core/errors.ts';
import {startWorker} from '../core/worker-url.ts';
import type {
	EngineHandle,
	PeerCommands,
	PeerEngine,
	PeerSnapshot,
	PlainError,
	ServerCommands,
	ServerEngine,
	ServerSnapshot,
} from './messages.ts';
import {withChange} from './snapshot-parts.ts';
import type {EngineRequest, FromWorker, ToWorker} from './worker-messages.ts';

/** Starts a peer in a thread of its own. @throws P2pError what kept it from starting */
export function startPeerInWorker(options: PeerOptions): Promise<PeerEngine> {
	return startInWorker<PeerSnapshot, PeerCommands>({mode: 'peer', options});
}

/** Starts an index server in a thread of its own. @throws P2pError what kept it from starting */
export function startServerInWorker(options: ServerOptions): Promise<ServerEngine> {
	return startInWorker<ServerSnapshot, ServerCommands>({mode: 'server', options});
}

function revive({code, message, hint, details}: PlainError): Error {
	if (code === 'internal') {
		const error = new Error(message);
		if (typeof details?.stack === 'string') error.stack = details.stack;
		return error;
	}
	return new P2pError(code, message, {hint, details});
}

async function startInWorker<Snapshot extends PeerSnapshot | ServerSnapshot, Commands>(
	request: EngineRequest,
): Promise<EngineHandle<Snapshot, Commands>> {
	const worker = startWorker('engine/engine-worker', {workerData: request, name: `${request.mode} engine`});
	const listeners = new Set<() => void>();
	const calls = new Map<number, {resolve: (value: never) => void; reject: (error: unknown) => void}>();
	const ready = Promise.withResolvers<Snapshot>();
	const ended = Promise.withResolvers<void>();
	ended.promise.catch(() => undefined);
	let current: Snapshot | undefined;
	let nextId = 1;
	const send = (message: ToWorker) => worker.postMessage(message);
	const over = (error?: unknown) => {
		if (error === undefined) ended.resolve();
		else ended.reject(error);
		ready.reject(error ?? new Error('the engine ended'));
		for (const call of calls.values()) call.reject(error ?? new P2pError('cancelled', 'The engine has stopped'));
		calls.clear();
	};

	worker.on('message', (message: FromWorker) => {
		switch (message.kind) {
			case 'ready':
				current = message.snapshot as Snapshot;
				ready.resolve(current);
				return;
			case 'failed':
				ready.reject(revive(message.error));
				return;
			case 'snapshot':
				if (current) current = withChange(current, message.change);
				for (const listener of listeners) listener();
				setImmediate(() => send({kind: 'drawn'}));
				return;
			case 'answer': {
				const call = calls.get(message.id);
				calls.delete(message.id);
				if (message.error) call?.reject(revive(message.error));
				else call?.resolve(message.value as never);
				return;
			}
			case 'ended':
				over(message.error && revive(message.error));
		}
	});
	worker.on('error', over);
	worker.on('exit', code => over(code === 0 ? undefined : new Error(`the engine's thread ended with ${code}`)));

	const call = (name: string, request: unknown) =>
		new Promise<never>((resolve, reject) => {
			calls.set(nextId, {resolve, reject});
			send({kind: 'call', id: nextId++, name, request});
		});

	let stopping: Promise<void> | undefined;
	const stop = async () => {
		// The engine's end is told before the answer to the call that ended it, and fails that call.
		const asked = call('stop', undefined).catch(() => undefined);
		try {
			await Promise.race([asked, ended.promise]);
		} finally {
			await worker.terminate();
		}
	};

	try {
		await ready.promise;
	} catch (error) {
		await worker.terminate();
		throw error;
	}
	return {
		snapshot: () => current as Snapshot,
		subscribe(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		commands: new Proxy({}, {get: (_, name) => (request: unknown) => call(String(name), request)}) as Commands,
		stop: () => (stopping ??= stop()),
		ended: ended.promise,
	};
}
