// Sources that lie, stall, break off or are not there: what was verified stays, and the right thing is said.
import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {readdir, readFile} from 'node:fs/promises';
import {describe, expect, test} from 'vitest';
import {P2pError} from '../../source/core/errors.ts';
import {type Call, contentOf, downloader, piece, sendBoth, wireSource} from '../helpers/download.ts';
import {uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const size = 24 * piece + 77;
const file = randomBytes(size);
const {content} = contentOf(file);

function spoilt(bytes: Buffer): Buffer {
	const wrong = Buffer.from(bytes);
	wrong[wrong.length >> 1]! ^= 1;
	return wrong;
}

/** Ways to answer that no honest peer has. */
const lies: [string, (call: Call) => void][] = [
	['wrong bytes', ({socket, head, bytes}) => sendBoth(socket, head(), spoilt(bytes))],
	['another length', ({socket, head, bytes}) => sendBoth(socket, head(bytes.length - 1), bytes)],
	[
		'a longer body',
		({socket, head, bytes}) => {
			sendBoth(socket, head(), bytes);
			socket.write('more');
		},
	],
	[
		'an endless body',
		({socket, head}) => {
			socket.write(head(Number.MAX_SAFE_INTEGER));
			const more = () => {
				while (!socket.destroyed && socket.write(file));
			};
			socket.on('drain', more);
			more();
		},
	],
	[
		'another range',
		({socket, bytes}) => {
			socket.write(
				`HTTP/1.1 206 OK\r\nContent-Length: ${bytes.length}\r\nContent-Range: bytes 1-${bytes.length}/${size}\r\n\r\n`,
			);
			socket.write(bytes);
		},
	],
	['chunks', ({socket}) => void socket.write('HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')],
	['no HTTP at all', ({socket}) => void socket.write('220 ftp.example.org ready\r\n\r\n')],
	[
		'an endless head',
		({socket}) => {
			socket.write('HTTP/1.1 206 OK\r\n');
			const more = () => {
				while (!socket.destroyed && socket.write('X-Padding: 0123456789abcdef\r\n'.repeat(100)));
			};
			socket.on('drain', more);
			more();
		},
	],
	['a redirect', ({socket}) => void socket.write('HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n')],
];

describe('a liar', () => {
	test.each(lies)('that sends %s, alone: corrupt', async (_, behave) => {
		const liar = await wireSource(file, behave);
		const {manager, seen, folder} = await downloader();
		const {key} = await manager.add({content, name: 'x', size, sources: [liar.source]});
		await expect(manager.finished(key)).rejects.toMatchObject({code: 'corrupt', exitCode: 5});
		expect(seen('log').map(({message}) => message)).toEqual([expect.stringMatching(/^Wrong bytes from mallory/)]);
		expect(seen('download-failed')).toMatchObject([{code: 'corrupt'}]);
		expect((await readdir(folder)).filter(name => name !== '.p2p-tui')).toEqual([]);
		await waitFor('the liar to be cut off', () => liar.connections() === 0);
	});

	test.each(lies)('that sends %s, beside an honest peer: dropped and named', async (_, behave) => {
		const liar = await wireSource(file, behave);
		const honest = await wireSource(file, call => void setTimeout(() => call.answer(), 20));
		const {manager} = await downloader();
		const {key} = await manager.add({content, name: 'x', size, sources: [liar.source, honest.source]});
		const result = await manager.finished(key);
		expect(result.sources).toContain(honest.source.peer);
		expect(result.dropped).toMatchObject([{peer: liar.source.peer, name: 'mallory'}]);
		expect((await readFile(result.path)).equals(file)).toBe(true);
	});

	test('with a wrong piece layer', async () => {
		for (const layer of [
			({socket, head, bytes}: Call) => sendBoth(socket, head(), spoilt(bytes)),
			({socket, head}: Call) => sendBoth(socket, head(3), 'abc'),
			({socket, head}: Call) => void socket.write(head(1e12)),
		]) {
			const liar = await wireSource(file, undefined, {layer});
			const honest = await wireSource(file);
			const {manager} = await downloader();
			const {key} = await manager.add({content, name: 'x', size, sources: [liar.source, honest.source]});
			const result = await manager.finished(key);
			expect(result.dropped).toMatchObject([{peer: liar.source.peer}]);
			expect(result.sources).toEqual([honest.source.peer]);
		}
	});

	test('is not asked again after a retry has brought an honest one', async () => {
		const liar = await wireSource(file, lies[0]![1]);
		const honest = await wireSource(file);
		let found = [liar.source];
		const {manager} = await downloader({once: false, findSources: async () => found});
		const {key} = await manager.add({content, name: 'x', size});
		await expect(manager.finished(key)).rejects.toMatchObject({code: 'corrupt'});
		found = [honest.source];
		await manager.retry(key);
		expect((await manager.finished(key)).sources).toEqual([honest.source.peer]);
	});
});

describe('a source that fails', () => {
	test('is not there: no-source, after a few seconds of trying', async () => {
		const gone = await wireSource(file);
		await gone.close();
		const {manager, folder} = await downloader();
		const {key} = await manager.add({content, name: 'x', size, sources: [gone.source]});
		const error: unknown = await manager.finished(key).catch(error => error);
		expect(error).toMatchObject({code: 'no-source', exitCode: 4});
		expect((error as P2pError).message).toMatch(/mallory: .*nothing listens there/);
		expect(existsSync(folder)).toBe(false);
	});

	test('nobody has it: no-source at once; a server that cannot be asked says so itself', async () => {
		const {manager} = await downloader();
		const {key} = await manager.add({content, name: 'x.txt', size});
		await expect(manager.finished(key)).rejects.toMatchObject({
			code: 'no-source',
			message: 'Nobody who is online has x.txt',
		});
		const lost = await downloader({
			findSources: async () => {
				throw new P2pError('no-server', 'The server does not answer');
			},
		});
		const other = await lost.manager.add({content, name: 'x.txt', size});
		await expect(lost.manager.finished(other.key)).rejects.toMatchObject({code: 'no-server'});
	});

	test('has another key than it should: refused before a byte is asked for', async () => {
		const other = await wireSource(file);
		const {manager} = await downloader();
		const source = {...other.source, peer: 'ab'.repeat(32)};
		const {key} = await manager.add({content, name: 'x', size, sources: [source]});
		await expect(manager.finished(key)).rejects.toMatchObject({code: 'wrong-peer', exitCode: 6});
		expect(other.calls).toEqual([]);
		expect(other.layers()).toBe(0);
	});

	test('does not share it any more', async () => {
		const {identity, port} = await uploadServer();
		const source = {peer: identity.id, number: 1, name: 'alice', host: '127.0.0.1', port};
		const {manager} = await downloader();
		const {key} = await manager.add({content, name: 'x', size, sources: [source]});
		await expect(manager.finished(key)).rejects.toMatchObject({code: 'no-source'});
	});

	test('is lost for good midway: source-lost, and what was verified serves the next try', async () => {
		const source = await wireSource(file, call => {
			if (call.first < 4 * piece) call.answer();
			else void source.close();
		});
		const {manager} = await downloader();
		const {key} = await manager.add({content, name: 'x', size, sources: [source.source]});
		await expect(manager.finished(key)).rejects.toMatchObject({code: 'source-lost', exitCode: 4});
		const {done} = manager.list()[0]!;
		expect(done).toBeGreaterThanOrEqual(piece);
		const other = await wireSource(file);
		await manager.add({content, name: 'x', size, sources: [other.source]});
		const result = await manager.finished(key);
		expect((await readFile(result.path)).equals(file)).toBe(true);
		expect(other.asked()).toBe(size - done);
	});

	test('dies midway and comes back: the download goes on by itself', async () => {
		let alive = true;
		const source = await wireSource(file, call => {
			if (!alive || call.first < 6 * piece) return call.answer();
			alive = false;
			return void source.close();
		});
		const {manager} = await downloader();
		const {key} = await manager.add({content, name: 'x', size, sources: [source.source]});
		await waitFor('its death', () => !alive && source.connections() === 0);
		await source.reopen();
		const result = await manager.finished(key);
		expect((await readFile(result.path)).equals(file)).toBe(true);
	});

	test('breaks off in the middle of each body: bounded tries, no verified byte lost', async () => {
		const source = await wireSource(file, ({socket, head, bytes}) => {
			socket.write(head());
			socket.write(bytes.subarray(0, piece + 1000), () => socket.destroy());
		});
		const {manager} = await downloader();
		const {key} = await manager.add({content, name: 'x', size, sources: [source.source]});
		const result = await manager.finished(key).catch(error => error);
		// Every connection brings a piece, so that it gets through in the end, except the last, which it cuts off short.
		if (result instanceof P2pError) expect(result.code).toBe('source-lost');
		else expect((await readFile(result.path)).equals(file)).toBe(true);
		expect(manager.list()[0]!.done).toBeGreaterThanOrEqual(size - 2 * piece);
	});

	test('stalls: relieved by another within seconds', async () => {
		const stalled = await wireSource(file, ({socket, head, bytes}) => {
			socket.write(head());
			socket.write(bytes.subarray(0, 1000));
		});
		const honest = await wireSource(file, call => void setTimeout(() => call.answer(), 50));
		const {manager} = await downloader();
		const started = performance.now();
		const {key} = await manager.add({content, name: 'x', size, sources: [stalled.source, honest.source]});
		const result = await manager.finished(key);
		expect(performance.now() - started).toBeLessThan(12_000);
		expect(result.dropped).toEqual([]);
		expect((await readFile(result.path)).equals(file)).toBe(true);
	});

	test('is slow: the fast one takes over its rest', async () => {
		const slow = await wireSource(file, ({socket, head, bytes}) => {
			socket.write(head());
			let at = 0;
			const timer = setInterval(() => {
				if (socket.destroyed || at >= bytes.length) return clearInterval(timer);
				socket.write(bytes.subarray(at, at + 500));
				at += 500;
			}, 50);
		});
		const fast = await wireSource(file, call => void setTimeout(() => call.answer(), 10));
		const {manager} = await downloader();
		const started = performance.now();
		const {key} = await manager.add({content, name: 'x', size, sources: [slow.source, fast.source]});
		const result = await manager.finished(key);
		// A single piece takes the slow one more than twenty-six seconds.
		expect(performance.now() - started).toBeLessThan(20_000);
		expect((await readFile(result.path)).equals(file)).toBe(true);
	});

	test('has no slot free: the place in its queue is shown, and it is asked again when it said', async () => {
		let busy = true;
		const source = await wireSource(file, call => {
			if (!busy) return call.answer();
			const body = JSON.stringify({code: 'busy', message: 'all slots are taken', details: {position: 3}});
			call.socket.write(
				`HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
			);
		});
		const {manager} = await downloader();
		const {key} = await manager.add({content, name: 'x', size, sources: [source.source]});
		await waitFor('the place', () => manager.list()[0]?.message === 'queued at mallory, place 3');
		expect(manager.list()[0]?.state).toBe('waiting');
		busy = false;
		expect((await readFile((await manager.finished(key)).path)).equals(file)).toBe(true);
	});

	test('has only some pieces yet: the rest comes from another', async () => {
		const have = Buffer.alloc(Math.ceil(25 / 8));
		have[0] = 0xff;
		const partial = await wireSource(
			file,
			call => {
				if (call.end <= 8 * piece) return call.answer();
				return void call.socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
			},
			{have},
		);
		const {manager} = await downloader({once: false, findSources: async () => []});
		const {key} = await manager.add({content, name: 'x', size, sources: [partial.source]});
		await waitFor('what it has', () => (manager.list()[0]?.done ?? 0) === 8 * piece);
		expect(partial.calls.every(({end}) => end <= 8 * piece)).toBe(true);
		const whole = await wireSource(file);
		await manager.add({content, name: 'x', size, sources: [whole.source]});
		const result = await manager.finished(key);
		expect(result.sources.toSorted()).toEqual([partial.source.peer, whole.source.peer].toSorted());
		expect((await readFile(result.path)).equals(file)).toBe(true);
	});
});
