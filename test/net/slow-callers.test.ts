// Connections that never finish their handshake, and bodies that trickle in.
import {connect, type Socket} from 'node:net';
import {connect as tlsConnect} from 'node:tls';
import fastify, {type FastifyInstance} from 'fastify';
import {expect, onTestFinished, test} from 'vitest';
import {EngineBus} from '../../source/core/events.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {answerErrors} from '../../source/net/http-errors.ts';
import {QuietLog} from '../../source/net/quiet-log.ts';
import {limitBodies, limitHalfOpen} from '../../source/net/slow-callers.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';
import {fetchFrom} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

async function server(prepare: (app: FastifyInstance, log: QuietLog) => void) {
	const bus = new EngineBus();
	const lines: string[] = [];
	bus.on('log', ({message}) => lines.push(message));
	const app = fastify({https: tlsServerOptions(await temporaryIdentity())}) as unknown as FastifyInstance;
	answerErrors(app, error => lines.push(`bug: ${error}`));
	prepare(app, new QuietLog(bus));
	app.get('/', async () => 'hello');
	app.put('/', async request => request.body);
	await app.listen({host: '127.0.0.1', port: 0});
	onTestFinished(() => app.close());
	return {lines, port: (app.server.address() as {port: number}).port};
}

test('of many half-open connections the oldest are closed; a finished handshake counts no more', async () => {
	const {lines, port} = await server((app, log) => limitHalfOpen(app.server as never, log, 20));
	const whole = tlsConnect({port, host: '127.0.0.1', rejectUnauthorized: false});
	await new Promise(resolve => whole.once('secureConnect', resolve));
	const sockets: Socket[] = [];
	let closed = 0;
	for (let i = 0; i < 300; i++) {
		const socket = connect(port, '127.0.0.1');
		socket.on('error', () => undefined).once('close', () => closed++);
		sockets.push(socket);
	}
	await waitFor('all but twenty to be closed', () => closed >= 280);
	expect((await fetchFrom(port, '/')).status).toBe(200);
	expect(whole.destroyed).toBe(false);
	expect(lines).toEqual([expect.stringMatching(/more than 20 connections wait .* from 127\.0\.0\.1/)]);
	for (const socket of [...sockets, whole]) socket.destroy();
});

test('a body that trickles in is answered 408 and cut off, with one line for all of them', async () => {
	const {lines, port} = await server((app, log) => limitBodies(app, log, 300));
	const slow = () =>
		new Promise<string>(resolve => {
			let answer = '';
			const socket = tlsConnect({port, host: '127.0.0.1', rejectUnauthorized: false}, () => {
				socket.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
				trickle = setInterval(() => socket.write(' '), 50);
			});
			let trickle: NodeJS.Timeout | undefined;
			socket.on('data', data => {
				answer += data;
			});
			socket.on('error', () => undefined);
			socket.once('close', () => {
				clearInterval(trickle);
				resolve(answer);
			});
		});
	const answers = await Promise.all([slow(), slow(), slow()]);
	for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"timeout"/);
	expect(lines).toEqual([expect.stringContaining('sends a request too slowly')]);
});
