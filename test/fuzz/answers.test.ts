// The other direction: a server that proves the right key and then answers whatever it likes.
import {createServer} from 'node:https';
import fc from 'fast-check';
import {expect, onTestFinished, test} from 'vitest';
import {peersResponseSchema, searchResponseSchema, serverInfoSchema} from '../../source/api/schemas.ts';
import {P2pError} from '../../source/core/errors.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';

/** A hostile server: answers every call with what `next` holds. */
async function hostileServer() {
	const identity = await temporaryIdentity();
	const next = {status: 200, body: '', headers: {} as Record<string, string>};
	const server = createServer(tlsServerOptions(identity), (_request, response) => {
		response.writeHead(next.status, next.headers);
		response.end(next.body);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const client = new SecureClient(await temporaryIdentity());
	onTestFinished(async () => {
		await client.close();
		server.closeAllConnections();
		await new Promise(resolve => server.close(resolve));
	});
	const {port} = server.address() as {port: number};
	return {client, target: {host: '127.0.0.1', port, id: identity.id}, next};
}

test('any answer is either what the call promises or a P2pError', async () => {
	const {client, target, next} = await hostileServer();
	const schema = fc.constantFrom(serverInfoSchema, searchResponseSchema, peersResponseSchema);
	const lies = fc
		.record({
			hits: fc.oneof(fc.jsonValue(), fc.array(fc.record({content: fc.string(), name: fc.string(), size: fc.double()}))),
			total: fc.double(),
			peers: fc.jsonValue(),
			code: fc.oneof(fc.string(), fc.constantFrom('busy', 'internal', '__proto__', 'toString')),
			message: fc.oneof(fc.string(), fc.constant('\u001b[2Jgone')),
			details: fc.jsonValue(),
		})
		.map(value => JSON.stringify(value));
	const body = fc.oneof(
		lies,
		fc.json(),
		fc.string(),
		fc.constantFrom(
			'['.repeat(500_000),
			`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
			'{"__proto__":{"hits":[]}}',
		),
	);
	const status = fc.constantFrom(200, 200, 201, 302, 400, 404, 418, 500, 503);
	await fc.assert(
		fc.asyncProperty(schema, body, status, async (wanted, text, code) => {
			Object.assign(next, {status: code, body: text});
			const answer = await client
				.json(target, {path: '/v1', schema: wanted as typeof serverInfoSchema})
				.catch((error: unknown) => error);
			if (answer instanceof Error) expect(answer).toBeInstanceOf(P2pError);
			else expect(wanted.safeParse(answer).success).toBe(true);
			expect(({} as {hits?: unknown}).hits).toBeUndefined();
		}),
		{numRuns: 200, interruptAfterTimeLimit: 4000},
	);
});

test('an answer without end is cut off, and its memory given back', async () => {
	const {client, target, next} = await hostileServer();
	Object.assign(next, {status: 200, body: `[${'1,'.repeat(9 * 1024 * 1024)}1]`});
	await expect(client.json(target, {path: '/v1', schema: serverInfoSchema})).rejects.toMatchObject({code: 'too-large'});
});
