// A real index server and a real peer, over TLS, while strangers and registered peers send them whatever there is: every
// call is answered with a status that fits, no bug shows, and the next honest caller is served.
import {connect as plainConnect} from 'node:net';
import {connect as tlsConnect} from 'node:tls';
import fc from 'fast-check';
import {describe, expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {EngineBus} from '../../source/core/events.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {contentId, type RawAnswer, request, startServer} from '../helpers/index.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';

const many = {numRuns: 120, interruptAfterTimeLimit: 3500};

/** A JSON body in its depth: a parser or a schema that calls itself would run out of stack. */
function deep(open: string, close: string, depth: number): string {
	return open.repeat(depth) + close.repeat(depth);
}

const depth = Math.floor(limits.jsonBody / 8);
const word = fc.oneof(
	fc.string({unit: 'grapheme', maxLength: 30}),
	fc.string({unit: 'binary', maxLength: 30}).map(one => one.toWellFormed()),
	fc.constantFrom(
		'',
		'..',
		'../../etc/passwd',
		'%00',
		'%ff%fe',
		'a'.repeat(3000),
		'-1',
		'1e99',
		'NaN',
		'__proto__',
		'"',
		'語',
	),
);
const query = fc
	.array(fc.tuple(fc.constantFrom('q', 'limit', 'cursor', 'path', 'epoch', 'from', 'to', 'x'), word), {maxLength: 4})
	.map(pairs => pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&'));
const junkJson = fc.oneof(
	fc.json({maxDepth: 4}),
	fc.constantFrom(
		...[
			deep('[', ']', depth),
			deep('{"a":', '1}', depth).replaceAll('1}', '}').replace(/:}/, ':1}'),
			'{"__proto__":{"x":1}}',
		],
		...['', '{', 'null', '"'.repeat(10), '1e999', `"${'x'.repeat(limits.jsonBody)}"`, '\ufeff{}', '{"name":"\\ud800"}'],
	),
);
const almost = fc
	.record(
		{
			name: fc.oneof(word, fc.jsonValue()),
			port: fc.oneof(fc.integer(), fc.double(), word),
			host: word,
			epoch: fc.oneof(fc.constant('00'.repeat(16)), word),
			version: fc.oneof(fc.integer(), fc.constant(Number.MAX_SAFE_INTEGER)),
			addresses: fc.array(word, {maxLength: 12}),
			contents: fc.array(fc.record({content: word, size: fc.integer()}), {maxLength: 3}),
		},
		{requiredKeys: []},
	)
	.map(value => JSON.stringify(value));

/** What every answer must be: no 500, and an error in the common form. */
function checkAnswer({status, body, text}: Pick<RawAnswer, 'status' | 'body' | 'text'>): void {
	expect(status, text).toBeGreaterThanOrEqual(200);
	expect(status, text).not.toBe(500);
	if (status >= 400 && text !== '') {
		expect(typeof body?.code, text).toBe('string');
		expect(text).not.toMatch(/node_modules|\.ts:\d|at async/);
	}
}

describe('an index server', () => {
	async function fuzzedServer() {
		const bus = new EngineBus();
		const complaints: string[] = [];
		bus.on('log', ({level, message}) => level === 'error' && complaints.push(message));
		const server = await startServer({bus});
		onTestFinished(() => server.stop());
		const alice = await temporaryIdentity();
		const registered = {name: 'alice', port: 25_000, epoch: '00'.repeat(16), version: 0};
		const register = () =>
			request(server, '/v1/peers/me', {
				...{method: 'PUT', identity: alice, body: JSON.stringify(registered)},
				headers: {'content-type': 'application/json'},
			});
		expect((await register()).status).toBe(200);
		const stillWell = async () => {
			expect(complaints).toEqual([]);
			expect((await request(server, '/v1')).status).toBe(200);
			expect((await register()).status).toBe(200);
		};
		return {server, alice, stillWell};
	}

	test('answers any question', async () => {
		const {server, stillWell} = await fuzzedServer();
		const route = fc.oneof(
			fc.constantFrom('/v1', '/v1/search', '/v1/peers', '/v1/peers/1/files', '/v1/peers/alice', '/healthz', '/metrics'),
			word.map(one => `/v1/peers/${encodeURIComponent(one)}/files`),
			word.map(one => `/v1/files/${encodeURIComponent(one)}`),
			word.map(one => `/${encodeURIComponent(one)}`),
		);
		const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'DELETE', 'PATCH', 'OPTIONS');
		await fc.assert(
			fc.asyncProperty(route, query, method, async (path, search, how) => {
				checkAnswer(await request(server, `${path}?${search}`, {method: how}));
			}),
			many,
		);
		await stillWell();
	});

	test('takes any body from a registered peer', async () => {
		const {server, alice, stillWell} = await fuzzedServer();
		const path = fc.constantFrom('/v1/peers/me', '/v1/peers/me/partials');
		await fc.assert(
			fc.asyncProperty(
				path,
				fc.oneof(junkJson, almost),
				fc.constantFrom('application/json', 'text/plain', 'x/'),
				async (where, body, type) => {
					const headers = {'content-type': type};
					checkAnswer(await request(server, where, {method: 'PUT', identity: alice, headers, body}));
				},
			),
			many,
		);
		await stillWell();
	});

	test('takes any catalog upload, keeps the lines that fit, and counts the rest', async () => {
		const {server, alice, stillWell} = await fuzzedServer();
		const change = fc.record(
			{
				op: fc.constantFrom('add', 'remove', 'x'),
				path: fc.oneof(word, fc.constantFrom('s/a', 's/../b', '/abs', 's//x', 's/\0', 's/\u202e', 's/NUL')),
				size: fc.oneof(fc.nat(), fc.constantFrom(-1, 1.5, 2 ** 53, Number.MAX_SAFE_INTEGER)),
				content: fc.constantFrom(contentId(1), 'short', contentId(2).toUpperCase()),
				mtime: fc.oneof(fc.integer(), fc.constantFrom(Number.MAX_SAFE_INTEGER, 1e300)),
			},
			{requiredKeys: ['op', 'path']},
		);
		const line = fc.oneof(
			change.map(one => JSON.stringify(one)),
			word,
			fc.constantFrom(deep('[', ']', 10_000), 'x'.repeat(40_000)),
		);
		let version = 0;
		const epoch = '00'.repeat(16);
		await fc.assert(
			fc.asyncProperty(
				fc.array(line, {maxLength: 12}),
				fc.constantFrom(undefined, 'gzip', 'zstd', 'br'),
				async (lines, encoding) => {
					const headers = {'content-type': 'application/x-ndjson', ...(encoding && {'content-encoding': encoding})};
					const url = `/v1/peers/me/files?epoch=${epoch}&from=${version}&to=${version + 1}`;
					const body = lines.map(one => one.replaceAll('\n', ' ')).join('\n');
					const answer = await request(server, url, {method: 'POST', identity: alice, headers, body});
					checkAnswer(answer);
					if (answer.status !== 200) return;
					version = answer.body.have.version;
					expect(answer.body.rejectedCount).toBeLessThanOrEqual(lines.length);
				},
			),
			many,
		);
		const {body} = await request(server, '/v1/peers/alice/files');
		const serialised = JSON.stringify(body.entries);
		expect(serialised).not.toContain('..');
		expect(serialised).not.toContain('\\u0000');
		await stillWell();
	});
});

test('a peer answers any question about its files, and ranges are the bytes they name', async () => {
	const {port, catalog, bugs} = await uploadServer();
	const bytes = someBytes(40_000);
	const {content} = await catalog.write('one.bin', bytes);
	const route = fc.oneof(
		fc.constantFrom(
			'/v1',
			'/v1/browse',
			'/v1/search',
			`/v1/files/${content}`,
			`/v1/files/${content}/pieces`,
			`/v1/files/${contentId(1)}`,
		),
		word.map(one => `/v1/files/${encodeURIComponent(one)}`),
		word.map(one => `/${encodeURIComponent(one)}`),
	);
	const printable = fc.string({unit: 'grapheme-ascii', maxLength: 60});
	const header = fc.constantFrom(
		'range',
		'if-range',
		'if-none-match',
		'if-match',
		'accept-encoding',
		'content-length-x',
		'expect',
	);
	await fc.assert(
		fc.asyncProperty(route, query, fc.dictionary(header, printable), async (path, search, headers) => {
			// Node's client waits for a "100 Continue" that is no business of this test.
			const {expect: _, ...sent} = headers;
			const {status, body, headers: got} = await fetchFrom(port, `${path}?${search}`, {headers: sent});
			const text = String(got['content-type']).includes('json') ? body.toString() : '';
			checkAnswer({status, text, body: text === '' ? undefined : JSON.parse(text)});
		}),
		many,
	);
	const bound = fc.oneof(fc.nat(45_000), fc.constantFrom('', '39999', '40000', '99999999999999999999'));
	await fc.assert(
		fc.asyncProperty(bound, bound, async (first, last) => {
			const {status, body, headers} = await fetchFrom(port, `/v1/files/${content}`, {
				headers: {range: `bytes=${first}-${last}`},
			});
			if (status === 200 || status === 416) {
				if (status === 200) expect(body.equals(bytes)).toBe(true);
				else expect(headers['content-range']).toBe('bytes */40000');
				return;
			}
			expect(status).toBe(206);
			const [, from, to] = /^bytes (\d+)-(\d+)\/40000$/.exec(String(headers['content-range']))!;
			expect(body.equals(bytes.subarray(Number(from), Number(to) + 1))).toBe(true);
		}),
		many,
	);
	expect(bugs).toEqual([]);
	expect((await fetchFrom(port, '/v1')).status).toBe(200);
});

test('what is neither TLS nor HTTP is hung up on, by both', async () => {
	const server = await startServer();
	onTestFinished(() => server.stop());
	const peer = await uploadServer();
	const junk = fc.oneof(
		fc.uint8Array({maxLength: 300}),
		fc.constantFrom(
			...[
				'GET / HTTP/1.1\r\n\r\n',
				'\r\n'.repeat(100),
				'GET /v1 HTTP/9.9\r\n\r\n',
				'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
			].map(one => Buffer.from(one)),
			...['POST /v1/peers/me/files HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n'].map(
				one => Buffer.from(one),
			),
			Buffer.from(
				'GET /v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1 HTTP/1.1\r\n\r\n',
			),
			Buffer.from(`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
			Buffer.from(`GET /v1 HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(4000)}\r\n`),
		),
	);
	for (const port of [server.port, peer.port]) {
		await fc.assert(
			fc.asyncProperty(junk, fc.boolean(), async (bytes, inside) => {
				const heard = await sendJunk(port, Buffer.from(bytes), inside);
				expect(heard).not.toMatch(/HTTP\/1\.1 500|node_modules/);
			}),
			{numRuns: 60, interruptAfterTimeLimit: 2500},
		);
		expect((await fetchFrom(port, '/v1')).status).toBe(200);
	}
	expect(peer.bugs).toEqual([]);
});

/** Sends bytes and the end, inside TLS or in place of it; what came back until the other side closed. */
function sendJunk(port: number, bytes: Buffer, inside: boolean): Promise<string> {
	return new Promise(resolve => {
		let heard = '';
		const socket = inside
			? tlsConnect({host: '127.0.0.1', port, rejectUnauthorized: false})
			: plainConnect({host: '127.0.0.1', port});
		socket.on('data', chunk => {
			heard += chunk.toString('latin1');
		});
		socket.on('error', () => undefined);
		socket.on('close', () => resolve(heard));
		socket.end(bytes);
	});
}
