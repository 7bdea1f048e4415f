// A hostile index server: real TLS, a real key, and answers that the script decides. What the script leaves out is
// answered as an honest but empty server would.
import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import type {TLSSocket} from 'node:tls';
import {onTestFinished} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';

/** How one call is answered. `query`: what stands behind the question mark. */
export type Answer = (response: ServerResponse, query: URLSearchParams, request: IncomingMessage) => void;

/** The calls of an index server by what they do. */
export type Script = Partial<
	Record<
		| 'info'
		| 'register'
		| 'publish'
		| 'partials'
		| 'leave'
		| 'events'
		| 'search'
		| 'sources'
		| 'peers'
		| 'peer'
		| 'browse',
		Answer
	>
>;

/** Sends a value as JSON. */
export function json(response: ServerResponse, body: unknown, status = 200): void {
	response.writeHead(status, {'content-type': 'application/json; charset=utf-8'});
	response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const counts = {peers: 0, online: 0, files: 0, bytes: 0};

function honest(id: string): Required<Script> {
	return {
		info: response => json(response, {kind: 'server', id, name: 'hub', version: '1', private: false, ...counts}),
		register: response => json(response, {number: 1, observed: {host: '127.0.0.1', port: 1}, have: null, lease: 15}),
		publish: (response, query) => {
			const have = {epoch: query.get('epoch'), version: Number(query.get('to'))};
			json(response, {have, files: 0, bytes: 0, rejected: [], rejectedCount: 0});
		},
		partials: response => json(response, {contents: 0}),
		leave: response => void response.writeHead(204).end(),
		events: response => {
			response.writeHead(200, {'content-type': 'text/event-stream'});
			response.write(`event: hello\ndata: ${JSON.stringify(counts)}\n\n`);
		},
		search: response => json(response, {hits: [], total: 0, more: false}),
		sources: response => json(response, {code: 'not-found', message: 'Nobody has it'}, 404),
		peers: response => json(response, {peers: [], total: 0, online: 0}),
		peer: response => json(response, {code: 'not-found', message: 'No such peer'}, 404),
		browse: response => json(response, {entries: []}),
	};
}

const routes: [RegExp, keyof Script][] = [
	[/^PUT \/v1\/peers\/me$/, 'register'],
	[/^PUT \/v1\/peers\/me\/partials$/, 'partials'],
	[/^POST \/v1\/peers\/me\/files$/, 'publish'],
	[/^DELETE \/v1\/peers\/me$/, 'leave'],
	[/^GET \/v1\/events$/, 'events'],
	[/^GET \/v1\/search$/, 'search'],
	[/^GET \/v1\/files\/\w+$/, 'sources'],
	[/^GET \/v1\/peers$/, 'peers'],
	[/^GET \/v1\/peers\/[^/]+\/files$/, 'browse'],
	[/^GET \/v1\/peers\/[^/]+$/, 'peer'],
	[/^GET \/v1$/, 'info'],
];

/** Starts one; it ends with the test. `script` may be changed while it runs; `calls`: what was asked so far. */
export async function hostileServer(script: Script = {}) {
	const identity = await temporaryIdentity();
	const calls: (keyof Script)[] = [];
	const sockets = new Set<TLSSocket>();
	const usual = honest(identity.id);
	const server = createServer(tlsServerOptions(identity), (request, response) => {
		request.resume();
		response.on('error', () => undefined);
		const [path = '', query = ''] = (request.url ?? '').split('?');
		const call = routes.find(([pattern]) => pattern.test(`${request.method} ${path}`))?.[1];
		if (!call) return json(response, {code: 'not-found', message: 'no'}, 404);
		calls.push(call);
		(script[call] ?? usual[call])(response, new URLSearchParams(query), request);
	});
	server.on('secureConnection', socket => {
		sockets.add(socket.on('error', () => undefined));
		socket.once('close', () => sockets.delete(socket));
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(async () => {
		for (const socket of sockets) socket.destroy();
		await new Promise(resolve => server.close(resolve));
	});
	const {port} = server.address() as {port: number};
	const count = (call: keyof Script) => calls.filter(one => one === call).length;
	return {identity, script, calls, count, port, address: `127.0.0.1:${port}`, connections: () => sockets.size};
}
