// What an operator relies on: limits by address, and a stop that loses nothing and blames nobody.
import {once} from 'node:events';
import {request as httpsRequest} from 'node:https';
import path from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {type ConnectionOptions, connect, type TLSSocket} from 'node:tls';
import {expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {EngineBus} from '../../source/core/events.ts';
import {type Identity, temporaryIdentity} from '../../source/identity/identity.ts';
import type {RateLimits} from '../../source/index/guard.ts';
import {SqliteStore} from '../../source/index/sqlite/sqlite-store.ts';
import {add, request, startServer, type TestServer, temporaryFolder, until} from '../helpers/index.ts';

const epoch = 'ab'.repeat(16);
const generous: RateLimits = {
	peer: limits.callsPerPeer,
	address: limits.callsPerAddress,
	connectionsPerAddress: 1000,
	newPeers: limits.newPeersPerAddress,
	loopback: true,
};

/** A server with limits that hold for loopback as for every other address, and what it says. */
async function limited(rates: Partial<RateLimits>): Promise<{server: TestServer; lines: string[]}> {
	const bus = new EngineBus();
	const lines: string[] = [];
	bus.on('log', ({message}) => lines.push(message));
	const server = await startServer({bus, rates: {...generous, ...rates}});
	onTestFinished(() => server.stop());
	return {server, lines};
}

/** The status of one call from an address of this machine. */
function statusFrom(server: TestServer, localAddress: string, where = '/v1'): Promise<number> {
	return new Promise((resolve, reject) => {
		const options = {host: '127.0.0.1', port: server.port, path: where, localAddress, rejectUnauthorized: false};
		const call = httpsRequest({...options, agent: false}, response => {
			response.resume().once('end', () => resolve(response.statusCode ?? 0));
		});
		call.once('error', reject);
		call.end();
	});
}

test('an address that calls without end is put off and named once; others and health checks are answered', async () => {
	const {server, lines} = await limited({address: {perSecond: 0.001, burst: 4}});
	const statuses: number[] = [];
	for (let i = 0; i < 7; i++) statuses.push(await statusFrom(server, '127.0.0.1'));
	expect(statuses).toEqual([200, 200, 200, 200, 503, 503, 503]);
	expect(await statusFrom(server, '127.0.0.1', '/healthz')).toBe(200);
	expect(await statusFrom(server, '127.0.0.1', '/metrics')).toBe(200);
	expect(await statusFrom(server, '127.0.0.2')).toBe(200);
	expect(lines.filter(line => line.includes('too many calls'))).toHaveLength(1);
});

test('connections of one address have a limit; others get theirs, and one that closes makes room', async () => {
	const {server, lines} = await limited({connectionsPerAddress: 3});
	const open = async (localAddress: string): Promise<TLSSocket | undefined> => {
		const from = {host: '127.0.0.1', port: server.port, localAddress} as ConnectionOptions;
		const socket = connect({...from, rejectUnauthorized: false});
		onTestFinished(() => void socket.destroy());
		return new Promise(resolve => {
			socket.once('secureConnect', () => resolve(socket));
			socket.once('error', () => resolve(undefined));
			socket.once('close', () => resolve(undefined));
		});
	};
	const first = await open('127.0.0.1');
	expect([first, await open('127.0.0.1'), await open('127.0.0.1')].every(socket => socket !== undefined)).toBe(true);
	expect(await open('127.0.0.1')).toBeUndefined();
	expect(await open('127.0.0.2')).toBeDefined();
	expect(lines.filter(line => line.includes('more than 3 connections'))).toHaveLength(1);
	first?.destroy();
	await until('there is room again', async () => (await open('127.0.0.1')) !== undefined);
});

/** Begins a call of a peer with a body that comes in pieces. */
function beginUpload(server: TestServer, identity: Identity, files: number) {
	const call = httpsRequest({
		...{host: '127.0.0.1', port: server.port, method: 'POST', rejectUnauthorized: false, agent: false},
		...{
			path: `/v1/peers/me/files?epoch=${epoch}&from=0&to=${files}`,
			key: identity.keyPem,
			cert: identity.certificatePem,
		},
		headers: {'content-type': 'application/x-ndjson'},
	});
	const answered = new Promise<{status: number; text: string}>((resolve, reject) => {
		call.once('error', reject);
		call.once('response', async response => {
			let text = '';
			for await (const chunk of response) text += chunk;
			resolve({status: response.statusCode ?? 0, text});
		});
	});
	return {call, answered};
}

/** A server over a database in a folder of its own, one peer that is online, and what the server says. */
async function withDatabase() {
	const {folder, remove} = temporaryFolder();
	const file = path.join(folder, 'index.db');
	const store = new SqliteStore(file);
	await store.open();
	const bus = new EngineBus();
	const lines: string[] = [];
	bus.on('log', ({level, message}) => level !== 'info' && lines.push(message));
	const server = await startServer({store, bus});
	const identity = await temporaryIdentity();
	const body = JSON.stringify({name: 'alice', port: 25_000, epoch, version: 0});
	const headers = {'content-type': 'application/json'};
	await request(server, '/v1/peers/me', {method: 'PUT', headers, body, identity});
	const events = connect({
		...{host: '127.0.0.1', port: server.port, rejectUnauthorized: false},
		...{key: identity.keyPem, cert: identity.certificatePem},
	});
	events.on('error', () => undefined).resume();
	await once(events, 'secureConnect');
	events.write('GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n');
	await until('it is online', async () => (await store.getPeer(identity.id)).online);
	onTestFinished(async () => {
		events.destroy();
		await server.stop();
		await store.close();
		remove();
	});
	return {server, store, file, identity, events, lines};
}

test('a stop lets an upload finish that is running, and takes in nothing new', async () => {
	const {server, store, file, identity} = await withDatabase();
	const before = server.app.stats().bytesIn;
	const {call, answered} = beginUpload(server, identity, 2);
	answered.catch(() => undefined);
	call.write(`${JSON.stringify(add('s/first.txt', 'first'))}\n`);
	// Its head alone is longer than that.
	await until('it has begun', () => server.app.stats().bytesIn > before + 150);
	// It has asked for nothing yet, and must not hold up the stop until that cuts off everything.
	const silent = connect({host: '127.0.0.1', port: server.port, rejectUnauthorized: false});
	silent.on('error', () => undefined);
	await once(silent, 'secureConnect');
	await until('the server has it', () => server.app.stats().connections >= 3);
	const ended = once(silent.resume(), 'close');
	const stopped = server.stop();
	await ended;
	await until('nobody else is let in', () =>
		request(server, '/v1').then(
			() => false,
			() => true,
		),
	);
	call.end(`${JSON.stringify(add('s/second.txt', 'second'))}\n`);
	expect(await answered).toMatchObject({status: 200, text: expect.stringContaining('"files":2')});
	await stopped;
	await store.close();
	const again = new SqliteStore(file);
	await again.open();
	expect(await again.getPeer(identity.id)).toMatchObject({files: 2});
	expect(again.point(identity.id)).toEqual({epoch, version: 2});
	await again.close();
});

test('a stop with peers online says nothing of them, and they were seen until then', async () => {
	const {server, store, file, events, lines} = await withDatabase();
	const online = Date.now();
	await until('a moment has passed', () => Date.now() > online + 20);
	const ended = once(events, 'close');
	const stopping = Date.now();
	await server.stop();
	await store.close();
	await ended;
	// Whatever the end of a connection sets off is done by the next turns of the loop.
	for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve));
	expect(lines).toEqual([]);
	const database = new DatabaseSync(file, {readOnly: true});
	expect((database.prepare('SELECT seen FROM peer').get() as {seen: number}).seen).toBeGreaterThanOrEqual(stopping);
	database.close();
});
