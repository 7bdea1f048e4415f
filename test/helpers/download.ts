// Downloads over real TLS from real files; and sources that misbehave on the wire in every way we could think of.
import {once} from 'node:events';
import path from 'node:path';
import {createServer, type TLSSocket} from 'node:tls';
import {onTestFinished} from 'vitest';
import {contentOfPieceLayer, PieceLayerHasher} from '../../source/content/content-hasher.ts';
import {encodePieceLayer} from '../../source/content/piece-layer.ts';
import {EngineBus, type EngineEvents} from '../../source/core/events.ts';
import {createDownloadManager, type DownloadManagerOptions} from '../../source/download/manager.ts';
import type {DownloadSource} from '../../source/download/types.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';
import {tempFolder} from './temp-folder.ts';
import {waitFor} from './wait-for.ts';

/** The piece size of the files in these tests. */
export const piece = 256 * 1024;

/** Content ID and piece layer of some bytes. */
export function contentOf(bytes: Uint8Array) {
	const hasher = new PieceLayerHasher(bytes.length);
	hasher.update(bytes);
	return contentOfPieceLayer(hasher.finish(), bytes.length);
}

/** Writes a head and a body. */
export function sendBoth(socket: TLSSocket, head: string, body: Uint8Array | string): void {
	socket.write(head);
	socket.write(body);
}

/** A request to a {@link wireSource}. */
export type Call = {
	/** Counts the requests for bytes, from 0; those for the piece layer have -1. */
	index: number;
	/** First byte asked for, and the one after the last. */
	first: number;
	end: number;
	socket: TLSSocket;
	/** The right bytes. */
	bytes: Buffer;
	/** The right head for a body of that length. */
	head(length?: number): string;
	/** The right answer. */
	answer(): void;
};

/** A TLS server with a peer's key that answers requests for one file as it is told, byte by byte on the socket. */
export async function wireSource(
	file: Buffer,
	behave: (call: Call) => void = call => call.answer(),
	options: {layer?: (call: Call) => void; name?: string; have?: Buffer} = {},
) {
	const identity = await temporaryIdentity();
	const hashed = contentOf(file);
	const calls: {first: number; end: number}[] = [];
	const sockets = new Set<TLSSocket>();
	let layers = 0;
	const server = createServer(tlsServerOptions(identity), socket => {
		sockets.add(socket);
		socket.on('error', () => undefined);
		socket.on('close', () => sockets.delete(socket));
		let text = '';
		socket.on('data', data => {
			text += data.toString('latin1');
			for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
				const request = text.slice(0, end);
				text = text.slice(end + 4);
				serve(request, socket);
			}
		});
	});
	const serve = (request: string, socket: TLSSocket) => {
		if (/^GET \S+\/pieces /.test(request)) {
			layers++;
			const {pieceSize, size, pieceLayer: layer} = hashed;
			const bytes = encodePieceLayer({pieceSize, size, layer, have: options.have});
			const head = (length = bytes.length) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
			const answer = () => sendBoth(socket, head(), bytes);
			const call = {index: -1, first: 0, end: bytes.length, socket, bytes, head, answer};
			return (options.layer ?? answer)(call);
		}
		const range = /\r\nRange: bytes=(\d+)-(\d+)/.exec(request);
		const first = Number(range?.[1]);
		const end = Number(range?.[2]) + 1;
		const bytes = file.subarray(first, end);
		const head = (length = bytes.length) =>
			`HTTP/1.1 206 Partial Content\r\nContent-Length: ${length}\r\nContent-Range: bytes ${first}-${end - 1}/${file.length}\r\n\r\n`;
		const answer = () => sendBoth(socket, head(), bytes);
		calls.push({first, end});
		behave({index: calls.length - 1, first, end, socket, bytes, head, answer});
	};
	const listen = async (port: number) => {
		server.listen(port, '127.0.0.1');
		await once(server, 'listening');
		return (server.address() as {port: number}).port;
	};
	const close = async () => {
		for (const socket of sockets) socket.destroy();
		if (server.listening) await new Promise(resolve => server.close(resolve));
	};
	const port = await listen(0);
	onTestFinished(close);
	const source: DownloadSource = {
		...{peer: identity.id, number: 7, name: options.name ?? 'mallory'},
		...{host: '127.0.0.1', port},
	};
	return {
		source,
		content: hashed.content,
		size: file.length,
		/** The byte ranges asked for so far. */
		calls,
		layers: () => layers,
		connections: () => sockets.size,
		/** Bytes asked for since the `from`th request; those asked for twice, as a connection that is silent is raced, once. */
		asked: (from = 0) => {
			let [bytes, until] = [0, 0];
			for (const {first, end} of calls.slice(from).toSorted((a, b) => a.first - b.first)) {
				bytes += Math.max(0, end - Math.max(first, until));
				until = Math.max(until, end);
			}
			return bytes;
		},
		/**
		 * Waits until nobody is connected, so that all that was asked has been read, also what was still on its way
		 * when the other end hung up; gives the number of requests so far.
		 */
		hungUp: async () => {
			// Also those whose handshake is not over: the first request may come with its last message.
			const open = () => new Promise<number>(resolve => server.getConnections((_, count) => resolve(count)));
			await waitFor('the connections to end', async () => sockets.size === 0 && (await open()) === 0);
			return calls.length;
		},
		close,
		/** Listens on the same port again. */
		reopen: () => listen(port),
	};
}

/** A started download manager over temp folders, with all it told. */
export async function downloader(options: Partial<DownloadManagerOptions> = {}) {
	const identity = options.identity ?? (await temporaryIdentity());
	const root = await tempFolder();
	const bus = new EngineBus();
	const events: {[K in keyof EngineEvents]: {event: K} & EngineEvents[K]}[keyof EngineEvents][] = [];
	for (const event of [
		'download-started',
		'download-progress',
		'download-finished',
		'download-failed',
		'log',
		'error',
	] as const)
		bus.on(event, payload => events.push({event, ...payload} as never));
	const folder = options.folder ?? path.join(root, 'downloads');
	const settings: DownloadManagerOptions = {
		...{identity, bus, database: path.join(root, 'downloads.db'), folder, prefix: 'downloaded_'},
		...{findSources: async () => [], once: true, ...options, bus},
	};
	const manager = createDownloadManager(settings);
	await manager.start();
	onTestFinished(() => manager.stop());
	const seen = <E extends keyof EngineEvents>(event: E) =>
		events.filter((each): each is {event: E} & EngineEvents[E] & never => each.event === event);
	return {manager, settings, bus, events, seen, folder: settings.folder, partFolder: path.join(folder, '.p2p-tui')};
}
