// `POST /v1/table` over real HTTPS while a node takes in others' lists: who comes too late is asked to wait, and a
// publisher that was asked to brings what it has all the same.
import type {IncomingMessage} from 'node:http';
import {request} from 'node:https';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {z} from 'zod';
import {limits} from '../../source/api/limits.ts';
import {EngineBus} from '../../source/core/events.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {SecureClient} from '../../source/net/secure-client.ts';
import {type TakeTable, tableAnswerSchema, tablePath} from '../../source/net/table-route.ts';
import {createUploadServer} from '../../source/upload/upload-server.ts';
import {nothingServed, startDhtNode} from '../helpers/dht-node.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** A file server whose node takes lists only while the gate is open. */
async function guarded(take: TakeTable) {
	const identity = await temporaryIdentity();
	/** `asked`: calls that came, also those that are turned away. */
	const gate = {open: Promise.withResolvers<void>(), asked: 0, taken: 0};
	const server = createUploadServer({
		...{identity, name: 'guarded', version: '0', bus: new EngineBus(), catalog: nothingServed},
		table: () => {
			gate.asked++;
			return async (peer, address, body) => {
				gate.taken++;
				await gate.open.promise;
				return take(peer, address, body);
			};
		},
	});
	const {port} = await server.start({host: '127.0.0.1', port: 0, defaultPort: 0});
	onTestFinished(() => server.stop());
	const call = async (body: Buffer, headers = {'content-type': 'application/octet-stream'}) => {
		const client = new SecureClient(await temporaryIdentity());
		onTestFinished(() => client.close());
		const where = {id: identity.id, host: '127.0.0.1', port};
		return client.json(where, {method: 'POST', path: tablePath, body, schema: tableAnswerSchema, headers});
	};
	return {identity, port, gate, call};
}

/** A call as any program makes it, and what it is told. */
async function rawCall(port: number): Promise<{status: number | undefined; after: string | undefined; code: string}> {
	const {keyPem, certificatePem} = await temporaryIdentity();
	const headers = {'content-type': 'application/octet-stream'};
	const tls = {rejectUnauthorized: false, key: keyPem, cert: certificatePem};
	const response = await new Promise<IncomingMessage>((resolve, reject) => {
		request(`https://127.0.0.1:${port}${tablePath}`, {method: 'POST', headers, ...tls}, resolve)
			.once('error', reject)
			.end(Buffer.alloc(2));
	});
	const parts: Buffer[] = [];
	for await (const part of response) parts.push(part as Buffer);
	const {code} = z.object({code: z.string()}).parse(JSON.parse(Buffer.concat(parts).toString()));
	return {status: response.statusCode, after: response.headers['retry-after'], code};
}

test('as many lists as are allowed wait their turn, one more is told that it is busy, and those that wait are taken', async () => {
	const {port, gate, call} = await guarded(async (_peer, _address, body) => ({full: [[body[0]!, 1]]}));
	// One is being taken in and the others wait behind it.
	const outcomes: string[] = [];
	const calls = Array.from({length: limits.table.waitingBodies + 5}, async (_, index) => {
		try {
			const {full} = await call(Buffer.from([index, 0]));
			outcomes.push(full[0]?.[0] === index ? 'taken' : 'of another');
		} catch (error) {
			outcomes.push(String((error as {code?: string}).code));
		}
	});
	await waitFor('four to be turned away', () => outcomes.length === 4);
	expect([outcomes, gate.taken]).toEqual([['busy', 'busy', 'busy', 'busy'], 1]);
	expect(await rawCall(port)).toEqual({status: 503, after: '1', code: 'busy'});
	gate.open.resolve();
	await Promise.all(calls);
	expect(outcomes.filter(outcome => outcome === 'taken')).toHaveLength(limits.table.waitingBodies + 1);
});

test('a publisher that finds a node busy comes again until it has room', async () => {
	const epoch = '0'.repeat(32);
	const changes = Array.from({length: 60}, (_, index) => {
		const content = index.toString(16).padStart(64, '0');
		return {op: 'add' as const, path: `share/lantern ${index}.txt`, size: 10, content};
	});
	const empty = {
		...{epoch, version: 0, files: 0, bytes: 0},
		changesSince: () => ({epoch, changes: [], to: 0, last: true}),
	};
	let take: TakeTable | undefined;
	const {identity, port, gate, call} = await guarded((peer, address, body) => take!(peer, address, body));
	const folder = await tempFolder();
	const keeper = await startDhtNode({
		...{name: 'keeper', dataDir: path.join(folder, 'keeper'), catalog: empty, door: port, identity},
	});
	onTestFinished(() => keeper.stop());
	take = (peer, address, body) => keeper.dht.take(peer, address, body);
	const waiting = Array.from({length: limits.table.waitingBodies + 1}, () =>
		call(Buffer.alloc(2)).catch(() => undefined),
	);
	await waitFor('all of them to wait', () => gate.asked === waiting.length && gate.taken === 1);
	const share = {epoch, version: 60, files: 60, bytes: 600, changesSince: () => ({epoch, changes, to: 60, last: true})};
	const alice = await startDhtNode({
		...{name: 'alice', dataDir: path.join(folder, 'alice'), catalog: share, bootstrap: [keeper.dht.port]},
	});
	onTestFinished(() => alice.stop());
	await waitFor('alice to be turned away', () => gate.asked > waiting.length);
	expect(keeper.dht.records).toBe(0);
	gate.open.resolve();
	await Promise.all(waiting);
	await waitFor('the keeper to have them', () => keeper.dht.records === 60);
	expect(gate.taken).toBeGreaterThan(waiting.length);
});
