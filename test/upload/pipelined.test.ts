// Requests sent ahead of their answers, by plain TLS sockets: while the answers before them are still to be written.
import {connect} from 'node:tls';
import {expect, onTestFinished, test} from 'vitest';
import {someBytes, uploadServer} from '../helpers/upload.ts';

/** The answers' bodies: more than a connection takes at once, and less. */
const large = 300_000;
const small = 50_000;
const file = someBytes(large + 100_000);

type Asking = {
	port: number;
	content: string;
	/** Requests in all, and bytes of each answer. */
	count: number;
	length: number;
	/** Bytes that make each request longer. */
	padding: number;
	/** Requests sent before an answer is read; all others while answers are. */
	first: number;
};

/** Asks on one connection, ahead of the answers. @returns the status of each answer, or `wrong bytes` */
async function ask({port, content, count, length, padding, first}: Asking): Promise<string[]> {
	const socket = connect({host: '127.0.0.1', port, rejectUnauthorized: false});
	onTestFinished(() => void socket.destroy());
	const starts = Array.from({length: count}, (_, n) => (n * 7919) % (file.length - length));
	let sent = 0;
	const send = (more: number) => {
		for (const start of starts.slice(sent, sent + more)) {
			const lines = [`Range: bytes=${start}-${start + length - 1}`, `X-Padding: ${'x'.repeat(padding)}`];
			// A TLS record for each, so that the server finds several of them at once.
			socket.write([`GET /v1/files/${content} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n'));
			sent++;
		}
	};
	send(first);
	const answers: string[] = [];
	let parts: Buffer[] = [];
	let have = 0;
	let want = Number.POSITIVE_INFINITY;
	for await (const part of socket as AsyncIterable<Buffer>) {
		parts.push(part);
		have += part.length;
		send(2);
		for (;;) {
			if (want === Number.POSITIVE_INFINITY || have >= want) parts = [Buffer.concat(parts)];
			const [all = Buffer.alloc(0)] = parts;
			const head = all.indexOf('\r\n\r\n') + 4;
			if (head < 4) break;
			want = head + length;
			const status = all.toString('latin1', 9, 12);
			// What comes after an error is of no interest.
			if (status !== '206') return [...answers, status];
			if (have < want) break;
			const start = starts[answers.length]!;
			const isRight = all.subarray(head, want).equals(file.subarray(start, start + length));
			answers.push(isRight ? status : 'wrong bytes');
			parts = [all.subarray(want)];
			have -= want;
			want = Number.POSITIVE_INFINITY;
		}
		if (answers.length === count) break;
	}
	return answers;
}

const allRight = (count: number) => Array.from({length: count}, () => '206');

test.each([
	['short requests at once', {first: 300, length: small, padding: 10}],
	['long requests at once', {first: 300, length: small, padding: 6000}],
	['short requests amid answers', {first: 1, length: large, padding: 10}],
	['long requests amid answers', {first: 1, length: large, padding: 6000}],
	['requests longer than a TLS record, amid answers', {first: 1, length: large, padding: 14_000}],
])('%s on one connection: each is answered, in order', async (_, how) => {
	const {catalog, port, bugs} = await uploadServer();
	const {content} = await catalog.write('1.bin', file);
	expect(await ask({port, content, count: 300, ...how})).toEqual(allRight(300));
	expect(bugs).toEqual([]);
});

test('many connections at once: each request of each is answered', async () => {
	const {catalog, port, bugs} = await uploadServer();
	const {content} = await catalog.write('1.bin', file);
	const hows = Array.from({length: 20}, (_, n) => ({
		...{first: n % 3 === 0 ? 20 : 1, length: n % 2 === 0 ? large : small, padding: n % 4 < 2 ? 10 : 6000},
	}));
	const all = await Promise.all(hows.map(how => ask({port, content, count: 20, ...how})));
	expect(all).toEqual(hows.map(() => allRight(20)));
	expect(bugs).toEqual([]);
});
