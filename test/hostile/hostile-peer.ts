// A hostile peer: real TLS, a real key. Towards others it serves files as the script decides; towards servers and peers
// it sends whatever bytes a test wants, under its own key.
import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import {connect as connectPlain, type Socket} from 'node:net';
import {connect, type TLSSocket} from 'node:tls';
import {onTestFinished} from 'vitest';
import {encodePieceLayer} from '../../source/content/piece-layer.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsOptions, tlsServerOptions} from '../../source/net/tls-options.ts';
import {contentOf} from '../helpers/download.ts';
import {request} from '../helpers/index.ts';

/** A request for one of its files. `answer`: what an honest peer would do. */
export type FileCall = {request: IncomingMessage; response: ServerResponse; bytes: Buffer; answer(): void};

/** How it serves. */
export type PeerScript = {
	file?(call: FileCall): void;
	pieces?(call: FileCall): void;
	/** Lists a folder. */
	browse?(response: ServerResponse): void;
};

/** Starts one; it ends with the test. `script` may be changed while it runs. */
export async function hostilePeer(script: PeerScript = {}) {
	const identity = await temporaryIdentity();
	const files = new Map<string, Buffer>();
	const asked: string[] = [];
	const server = createServer(tlsServerOptions(identity), (incoming, response) => {
		response.on('error', () => undefined);
		asked.push(incoming.url ?? '');
		if (script.browse && incoming.url?.startsWith('/v1/browse?')) return script.browse(response);
		const [, content = '', pieces] = /^\/v1\/files\/(\w+)(\/pieces)?$/.exec(incoming.url ?? '') ?? [];
		const bytes = files.get(content);
		if (!bytes) return void response.writeHead(404, {'content-length': 0}).end();
		const honest = () => (pieces ? sendPieces(response, bytes) : sendBytes(incoming, response, bytes));
		const call = {request: incoming, response, bytes, answer: honest};
		const behave = pieces ? script.pieces : script.file;
		if (behave) behave(call);
		else honest();
	});
	server.on('secureConnection', socket => socket.on('error', () => undefined));
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(async () => {
		server.closeAllConnections();
		await new Promise(resolve => server.close(resolve));
	});
	const {port} = server.address() as {port: number};
	const place = {host: '127.0.0.1', port};
	const sharedAt = new Date(0).toISOString();
	return {
		identity,
		port,
		asked,
		script,
		/** Has a file from now on; returns its content ID. */
		have(bytes: Buffer): string {
			const {content} = contentOf(bytes);
			files.set(content, bytes);
			return content;
		},
		/** As an index server tells of it. */
		source: (path = 'share/x') => ({
			...{peer: identity.id, number: 7, name: 'mallory', ...place, path, sharedAt, online: true},
		}),
		info: () => ({
			...{id: identity.id, number: 7, name: 'mallory', ...place, files: 1, bytes: 1},
			...{online: true, since: sharedAt},
		}),
		/** A call to a server or peer under its key. */
		call: (target: {port: number}, url: string, options: Parameters<typeof request>[2] = {}) =>
			request(target, url, {identity, ...options}),
		/** Registers with any body. */
		register: (target: {port: number}, body: Record<string, unknown> = {}) =>
			request(target, '/v1/peers/me', {
				...{identity, method: 'PUT', headers: {'content-type': 'application/json'}},
				body: JSON.stringify({name: 'mallory', port, epoch, version: 0, ...body}),
			}),
		/** Sends changes of its catalog: any bytes. */
		publish: (target: {port: number}, body: string | Buffer, encoding?: string) =>
			request(target, `/v1/peers/me/files?epoch=${epoch}&from=0&to=1`, {
				...{identity, method: 'POST', body},
				headers: {'content-type': 'application/x-ndjson', ...(encoding && {'content-encoding': encoding})},
			}),
		/** A TLS connection under its key, to write anything to. */
		connect: (target: {port: number}) => open(connect({port: target.port, host: '127.0.0.1', ...tlsOptions(identity)})),
	};
}

const epoch = 'ab'.repeat(16);

/** A socket that is closed with the test and whose errors are nobody's. */
export function open<T extends Socket | TLSSocket>(socket: T): T {
	socket.on('error', () => undefined);
	onTestFinished(() => void socket.destroy());
	return socket;
}

/** Opens so many TCP connections that say nothing. */
export function halfOpen(port: number, count: number): Socket[] {
	return Array.from({length: count}, () => open(connectPlain(port, '127.0.0.1')).resume());
}

/** Writes bytes and reads all that comes until the other side hangs up. */
export function exchange(socket: TLSSocket, text: string): Promise<string> {
	return new Promise(resolve => {
		let answer = '';
		socket.on('data', data => {
			answer += data.toString('latin1');
		});
		socket.once('close', () => resolve(answer));
		socket.write(text);
	});
}

function sendPieces(response: ServerResponse, bytes: Buffer): void {
	const {pieceSize, size, pieceLayer: layer} = contentOf(bytes);
	const body = encodePieceLayer({pieceSize, size, layer});
	response.writeHead(200, {'content-length': body.length}).end(body);
}

function sendBytes(incoming: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
	const range = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? '');
	if (!range) return void response.writeHead(200, {'content-length': bytes.length}).end(bytes);
	const [first, last] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
	const headers = {'content-length': last - first + 1, 'content-range': `bytes ${first}-${last}/${bytes.length}`};
	response.writeHead(206, headers).end(bytes.subarray(first, last + 1));
}
