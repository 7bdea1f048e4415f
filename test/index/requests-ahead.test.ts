// Requests sent ahead of their answers to an index server, by plain TLS sockets.
import {connect} from 'node:tls';
import {expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {add, request, startServer, type TestServer} from '../helpers/index.ts';

const epoch = 'ab'.repeat(16);
const files = limits.searchPage;

/** A server whose answer to `number` has so many hits, each with a long path, that a connection takes few of them at once. */
async function filledServer(): Promise<TestServer> {
	const server = await startServer();
	onTestFinished(() => server.stop());
	const id = 'ab'.repeat(32);
	await server.store.register({id, name: 'alice', host: '10.0.0.1', port: 4000});
	async function* batches() {
		yield Array.from({length: files}, (_, at) => add(`s/${'long folder '.repeat(20)}/number${at}x.txt`, at));
	}
	await server.store.applyChanges(id, {epoch, from: 0, to: 1}, batches());
	await server.store.setOnline(id, true);
	return server;
}

/** Asks on one connection, ahead of the answers. @returns status and name or code of each answer, in the order in which they came */
async function ask(
	port: number,
	paths: string[],
	{padding, first}: {padding: number; first: number},
): Promise<string[]> {
	const socket = connect({host: '127.0.0.1', port, rejectUnauthorized: false});
	onTestFinished(() => void socket.destroy());
	let sent = 0;
	const send = (more: number) => {
		// A TLS record for each, so that the server finds several of them at once.
		for (const path of paths.slice(sent, sent + more)) {
			socket.write([`GET ${path} HTTP/1.1`, 'Host: x', `X-Padding: ${'x'.repeat(padding)}`, '', ''].join('\r\n'));
			sent++;
		}
	};
	send(first);
	const answers: string[] = [];
	let rest = Buffer.alloc(0);
	let parts: Buffer[] = [];
	let have = 0;
	let want = 0;
	for await (const part of socket as AsyncIterable<Buffer>) {
		parts.push(part);
		have += part.length;
		send(2);
		while (have >= want) {
			rest = Buffer.concat(parts);
			parts = [rest];
			const head = rest.indexOf('\r\n\r\n') + 4;
			if (head < 4) break;
			const text = rest.toString('latin1', 0, head);
			want = head + Number(/content-length: (\d+)/i.exec(text)?.[1]);
			if (have < want) break;
			const body = JSON.parse(rest.toString('utf8', head, want));
			answers.push(`${text.slice(9, 12)} ${body.hits?.length} ${body.hits?.[0]?.name ?? body.code ?? body.id}`);
			parts = [rest.subarray(want)];
			have -= want;
			want = 0;
		}
		if (answers.length === paths.length) break;
	}
	return answers;
}

test.each([
	['short requests at once', {first: 200, padding: 10}],
	['long requests at once', {first: 200, padding: 6000}],
	['short requests amid answers', {first: 1, padding: 10}],
	['long requests amid answers', {first: 1, padding: 6000}],
])('%s on one connection: each is answered, in order', async (_, how) => {
	const server = await filledServer();
	const large = `/v1/search?q=long&limit=${files}`;
	const paths = Array.from({length: 200}, (_, n) => {
		if (n % 3 === 0) return large;
		// The quick way and the framework's, by turns.
		return n % 3 === 1 ? `/v1/search?q=number${n}x` : n % 2 === 0 ? '/v1' : '/v1/nothing';
	});
	const [one] = await ask(server.port, [large], {first: 1, padding: 0});
	expect(one).toMatch(/^200 200 /);
	const expected = paths.map((path, n) => {
		if (path === large) return one;
		if (n % 3 === 1) return `200 1 number${n}x.txt`;
		return path === '/v1' ? `200 undefined ${server.identity.id}` : '404 undefined not-found';
	});
	expect(await ask(server.port, paths, how)).toEqual(expected);
	expect((await request(server, '/healthz')).status).toBe(200);
});
