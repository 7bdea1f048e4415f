// Everything that reads text or bytes from elsewhere: whatever comes, the answer is a value that fits or a P2pError that
// says what is wrong, and never anything else.
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {parseQuery} from '../../source/api/query.ts';
import {matchesQuery} from '../../source/api/query-match.ts';
import {environmentFlags, parseConfigFile, peerOptions, serverAddress} from '../../source/config/settings.ts';
import {contentOfPieceLayer, PieceLayerHasher} from '../../source/content/content-hasher.ts';
import {formatLink, parseLink} from '../../source/content/link.ts';
import {decodePieceLayer, encodePieceLayer, pieceLayerWireBytes} from '../../source/content/piece-layer.ts';
import {formatAddress, parseAddress, parseHost, parsePort} from '../../source/core/address.ts';
import {displayText} from '../../source/core/display.ts';
import {P2pError} from '../../source/core/errors.ts';
import {sharePathProblem} from '../../source/core/share-path.ts';
import {openKnownServers} from '../../source/identity/known-servers.ts';
import {isPeerId} from '../../source/identity/peer-id.ts';
import {readEvents} from '../../source/index/client/read-events.ts';
import {readService} from '../../source/net/discovery.ts';
import {answerRange} from '../../source/upload/http-range.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

/** What people and attackers type: any code units, and the pieces that parsers look for. */
const text = fc.oneof(
	fc.string({unit: 'binary', maxLength: 200}),
	fc.string({unit: 'grapheme', maxLength: 100}),
	fc
		.array(
			fc.constantFrom(
				...[
					'0',
					'1',
					':',
					'[',
					']',
					'.',
					'..',
					'/',
					'\\',
					'\0',
					'"',
					"'",
					'-',
					'=',
					'&',
					'%',
					'%00',
					'%ff',
					'?',
					'#',
					' ',
				],
				...[
					'magnet:?',
					'xt=',
					'urn:btmr:',
					'ab'.repeat(32),
					'xl=',
					'dn=',
					'tr=',
					'size:',
					'>',
					'1e309',
					'9'.repeat(20),
					'ext:',
				],
				...[
					'kind:',
					'peer:',
					'name:',
					'MB',
					'\u202e',
					'\u001b[2J',
					'\ud800',
					'\udfff',
					'é',
					'e\u0301',
					'語',
					'::1',
					'localhost',
				],
				...[
					'{',
					'}',
					'null',
					'true',
					'"server"',
					'__proto__',
					'bytes=',
					',',
					'*',
					'W/"',
					'\r\n',
					'\t',
					'CON',
					'aux.txt',
				],
			),
			{maxLength: 40},
		)
		.map(parts => parts.join('')),
);

/** The value, or undefined when it was refused as bad input is. @throws anything that is not a P2pError */
function read<T>(work: () => T): T | undefined {
	try {
		return work();
	} catch (error) {
		if (!(error instanceof P2pError)) throw error;
		expect(error.code).not.toBe('internal');
		expect(error.message.length).toBeGreaterThan(0);
		return undefined;
	}
}

const runs = {numRuns: 1500, interruptAfterTimeLimit: 2500};

describe('what people type', () => {
	test('addresses: read back as they were written', () => {
		fc.assert(
			fc.property(text, typed => {
				const address = read(() => parseAddress(typed, 45_000));
				if (!address) return;
				expect(address.port).toBeGreaterThan(0);
				expect(address.port).toBeLessThan(65_536);
				expect(address.host).not.toMatch(/[\s/\\[\]?#@]/);
				expect(parseAddress(formatAddress(address), 1)).toEqual(address);
				expect(serverAddress(typed)).toBe(formatAddress(address));
			}),
			runs,
		);
		fc.assert(
			fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), fc.integer({min: 1, max: 65_535}), (host, port) => {
				const plain = parseHost(host);
				expect(parseAddress(formatAddress({host: plain, port}), 1)).toEqual({host: plain, port});
			}),
			runs,
		);
		fc.assert(
			fc.property(text, typed => {
				const port = read(() => parsePort(typed));
				if (port !== undefined)
					expect(port).toSatisfy(value => Number.isInteger(value) && value >= 0 && value < 65_536);
			}),
			runs,
		);
	});

	test('links: any name and size survive; nonsense is refused', () => {
		const link = fc.record({
			content: fc.string({unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64}),
			name: fc.option(fc.string({unit: 'grapheme'}), {nil: undefined}),
			size: fc.option(fc.maxSafeNat(), {nil: undefined}),
			servers: fc.array(fc.string({unit: 'grapheme'}), {maxLength: 3}),
		});
		fc.assert(
			fc.property(link, one => {
				expect(parseLink(formatLink(one))).toEqual(one);
			}),
			runs,
		);
		fc.assert(
			fc.property(text, typed => {
				const found = read(() => parseLink(`magnet:?${typed}`));
				if (found) expect(found.content).toMatch(/^[0-9a-f]{64}$/);
				read(() => parseLink(typed));
			}),
			runs,
		);
	});

	test('queries: read in bounded time into something that can be matched', () => {
		fc.assert(
			fc.property(text, text, (typed, name) => {
				const before = process.cpuUsage();
				const query = read(() => parseQuery(typed));
				if (query) {
					expect(query.words.length).toBeLessThanOrEqual(limits.queryTerms);
					matchesQuery(query, {path: `share/${name}`, size: 1});
				}
				// The processor's time, not the clock's: others may have it meanwhile.
				expect(process.cpuUsage(before).user / 1000).toBeLessThan(500);
			}),
			runs,
		);
	});

	test('settings: any JSON, any environment', () => {
		const settings = fc.oneof(
			text,
			fc.json(),
			fc
				.dictionary(
					fc.constantFrom('host', 'port', 'server', 'share', 'name', 'prefix', 'announce', 'block', '__proto__', 'x'),
					fc.jsonValue(),
				)
				.map(value => JSON.stringify(value)),
		);
		fc.assert(
			fc.property(settings, written => {
				const flags = read(() => parseConfigFile(written, 'config.json'));
				if (flags) read(() => peerOptions(flags, '/tmp'));
			}),
			runs,
		);
		fc.assert(
			fc.property(fc.dictionary(fc.constantFrom('P2P_TUI_HOST', 'P2P_TUI_SERVER', 'P2P_TUI_ANNOUNCE'), text), given => {
				const flags = read(() => environmentFlags(given));
				if (flags) read(() => peerOptions(flags, '/tmp'));
			}),
			runs,
		);
	});
});

describe('what comes over the wire', () => {
	test('a share path that is taken stays below the folder it is put under', () => {
		const component = fc.oneof(text, fc.constantFrom('..', '.', '', '...', ' ', 'a', 'C:', '~', 'x'.repeat(256)));
		fc.assert(
			fc.property(
				fc.oneof(
					text,
					fc.array(component, {maxLength: 6}).map(parts => parts.join('/')),
				),
				sent => {
					if (sharePathProblem(sent) !== undefined) return;
					const place = path.posix.resolve('/downloads', sent);
					expect(place.startsWith('/downloads/')).toBe(true);
					expect(place).toBe(`/downloads/${sent}`);
					expect(sent).not.toContain('\0');
				},
			),
			{...runs, numRuns: 4000},
		);
	});

	test('nothing that is shown can move a cursor, colour or reorder', () => {
		fc.assert(
			fc.property(text, sent => {
				const shown = displayText(sent);
				expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
				expect(shown.isWellFormed()).toBe(true);
				expect(displayText(shown)).toBe(shown);
			}),
			runs,
		);
	});

	test('piece layers: the right one is read, a changed one is refused', () => {
		const size = 700_000;
		const bytes = Buffer.alloc(size, 'p2p');
		const hasher = new PieceLayerHasher(size);
		hasher.update(bytes);
		const {content, pieceSize, pieceLayer: layer} = contentOfPieceLayer(hasher.finish(), size);
		const wire = encodePieceLayer({pieceSize, size, layer});
		expect(decodePieceLayer(wire, content, size).layer.equals(layer)).toBe(true);
		expect(wire.length).toBeLessThanOrEqual(pieceLayerWireBytes(size));
		fc.assert(
			fc.property(fc.nat({max: wire.length - 1}), fc.integer({min: 1, max: 255}), (at, flip) => {
				// Bytes 6 and 7 are reserved, and of the flags only the first is known.
				if (at === 6 || at === 7 || (at === 5 && (flip & 1) === 0)) return;
				const changed = Buffer.from(wire);
				changed[at] = wire[at]! ^ flip;
				expect(read(() => decodePieceLayer(changed, content, size))).toBeUndefined();
			}),
			runs,
		);
		fc.assert(
			fc.property(fc.uint8Array({maxLength: 400}), fc.maxSafeNat(), (junk, claimed) => {
				expect(read(() => decodePieceLayer(Buffer.from(junk), content, claimed))).toBeUndefined();
				const framed = Buffer.concat([wire.subarray(0, 20), junk]);
				expect(read(() => decodePieceLayer(framed, content, size))).toBeUndefined();
			}),
			runs,
		);
	});

	test('ranges: always inside the file', () => {
		const header = fc.oneof(
			text.map(one => `bytes=${one}`),
			fc.tuple(fc.nat(), fc.nat()).map(([first, last]) => `bytes=${first}-${last}`),
			fc
				.tuple(fc.bigInt({min: 0n, max: 10n ** 40n}), fc.bigInt({min: 0n, max: 10n ** 40n}))
				.map(both => `bytes=${both.join('-')}`),
			fc.nat().map(last => `bytes=-${last}`),
			text,
		);
		fc.assert(
			fc.property(header, fc.oneof(fc.nat(100), fc.maxSafeNat()), text, (range, size, tag) => {
				const answer = answerRange(
					{range, 'if-range': tag === '' ? undefined : tag, 'if-none-match': tag},
					'ab'.repeat(32),
					size,
					'GET',
				);
				if (!('start' in answer)) return;
				expect(answer.start).toBeGreaterThanOrEqual(0);
				expect(answer.end).toBeLessThanOrEqual(size);
				expect(answer.start).toBeLessThanOrEqual(answer.end);
				if (answer.status === 206) expect(answer.end).toBeGreaterThan(answer.start);
			}),
			{...runs, numRuns: 4000},
		);
	});

	test('event streams: however the bytes are cut, the events are the same', async () => {
		const name = fc.constantFrom('hello', 'counts', 'peer-joined', 'x');
		const data = fc
			.string({unit: 'grapheme', maxLength: 60})
			.filter(one => !/[\r\n]/.test(one) && !one.startsWith(' '));
		const event = fc.record({event: name, data});
		const newline = fc.constantFrom('\n', '\r\n', '\r');
		const cuts = fc.array(fc.nat(40), {minLength: 1, maxLength: 20});
		await fc.assert(
			fc.asyncProperty(fc.array(event, {maxLength: 5}), newline, cuts, async (sent, end, lengths) => {
				const stream = sent.map(one => `event: ${one.event}${end}data: ${one.data}${end}: ping${end}${end}`).join('');
				expect(await eventsOf(cut(Buffer.from(`${stream}\n`), lengths))).toEqual(sent);
			}),
			{numRuns: 400, interruptAfterTimeLimit: 2500},
		);
		await fc.assert(
			fc.asyncProperty(fc.uint8Array({maxLength: 500}), cuts, async (junk, lengths) => {
				for (const one of await eventsOf(cut(Buffer.from(junk), lengths))) expect(one.data).not.toMatch(/[\r\n]{2}/);
			}),
			{numRuns: 400, interruptAfterTimeLimit: 2500},
		);
	});

	test('an event without end is cut off', async () => {
		const endless = async function* () {
			for (;;) yield Buffer.alloc(8192, 'x');
		};
		await expect(eventsOf(endless())).rejects.toMatchObject({code: 'too-large'});
		const lines = async function* () {
			for (;;) yield Buffer.from('data: x\n'.repeat(1000));
		};
		await expect(eventsOf(lines())).rejects.toMatchObject({code: 'too-large'});
	});

	test('announcements on the LAN: one that is taken is safe to show and to connect to', () => {
		const service = fc.record({
			port: fc.oneof(fc.integer(), fc.double()),
			txt: fc.oneof(
				fc.anything(),
				fc.record({
					id: fc.oneof(fc.constant('ab'.repeat(32)), text),
					name: text,
					version: text,
					private: fc.constantFrom('0', '1', 'x'),
				}),
			),
			referer: fc.option(
				fc.record({
					address: fc.oneof(fc.ipV4(), fc.ipV6(), text),
					family: fc.constant('IPv4' as const),
					port: fc.nat(),
					size: fc.nat(),
				}),
				{nil: undefined},
			),
		});
		fc.assert(
			fc.property(service, one => {
				const server = readService(one);
				if (!server) return;
				expect(isPeerId(server.id)).toBe(true);
				expect(serverAddress(server.address)).toBe(server.address);
				expect(displayText(server.name + server.version)).toBe(server.name + server.version);
			}),
			{...runs, numRuns: 4000},
		);
	});
});

test('a known_servers file that anything was written into pins whole IDs or nothing, and takes new ones', async () => {
	const folder = await tempFolder();
	const file = path.join(folder, 'known_servers');
	const id = 'cd'.repeat(32);
	const line = fc.oneof(
		text,
		fc.tuple(text, fc.oneof(text, fc.constant(id), fc.constant(id.toUpperCase()))).map(both => both.join(' ')),
	);
	await fc.assert(
		fc.asyncProperty(fc.array(line, {maxLength: 8}), fc.uint8Array({maxLength: 50}), async (lines, junk) => {
			await writeFile(file, Buffer.concat([Buffer.from(lines.join('\n')), Buffer.from(junk)]));
			const known = openKnownServers(folder);
			for (const address of ['__proto__', 'constructor', 'host:1', ...lines]) {
				const pinned = known.get(address);
				if (pinned !== undefined) expect(isPeerId(pinned)).toBe(true);
			}
			await known.set('host:1', id);
			expect(openKnownServers(folder).get('host:1')).toBe(id);
			await known.check('host:1', id);
			await expect(known.check('host:1', 'ef'.repeat(32))).rejects.toMatchObject({code: 'identity-changed'});
		}),
		{numRuns: 100, interruptAfterTimeLimit: 3000},
	);
});

async function eventsOf(body: AsyncIterable<Uint8Array>) {
	const events = [];
	for await (const event of readEvents(body)) events.push(event);
	return events;
}

async function* cut(bytes: Buffer, lengths: number[]) {
	for (let at = 0, turn = 0; at < bytes.length; turn++) {
		const length = Math.max(1, lengths[turn % lengths.length] ?? 1);
		yield bytes.subarray(at, at + length);
		at += length;
	}
}
