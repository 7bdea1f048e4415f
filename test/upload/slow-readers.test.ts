// Readers who take next to nothing, and so keep slots and buffers: they go when others wait, and only then.
import {connect as tcpConnect} from 'node:net';
import {connect} from 'node:tls';
import {expect, onTestFinished, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {type TlsIdentity, tlsOptions} from '../../source/net/tls-options.ts';
import {SlowReaders} from '../../source/upload/slow-readers.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const MiB = 1024 * 1024;

/** Asks for a file and takes a few thousand bytes at a time: enough to count as alive. */
function trickle(port: number, content: string, localAddress: string, identity?: TlsIdentity) {
	const state = {received: 0};
	const own = identity && tlsOptions(identity);
	const socket = connect({
		socket: tcpConnect({host: '127.0.0.1', port, localAddress}),
		rejectUnauthorized: false,
		...own,
	});
	socket.on('error', () => undefined);
	socket.write(`GET /v1/files/${content} HTTP/1.1\r\nHost: x\r\n\r\n`);
	const taking = setInterval(() => {
		state.received += (socket.read(1024) as Buffer | null)?.length ?? 0;
	}, 200);
	onTestFinished(() => {
		clearInterval(taking);
		socket.destroy();
	});
	return state;
}

test('is cut off when it took less than the floor and others wait, not before', async () => {
	let waiting = false;
	const readers = new SlowReaders(() => waiting, {perSecond: 1000, patience: 100});
	let pending: {bytes: number; since: number} | undefined = {bytes: 100, since: performance.now() - 150};
	let cut = 0;
	onTestFinished(readers.watch({pending: () => pending, cut: () => cut++}));
	const looks = async () => {
		for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setTimeout(resolve, 60));
	};
	await looks();
	// Long past its time by now, and nobody minds.
	expect(cut).toBe(0);
	pending = undefined;
	waiting = true;
	await looks();
	// It is our disk that is waited for.
	expect(cut).toBe(0);
	pending = {bytes: 1000_000, since: performance.now()};
	await looks();
	// A large piece may take its time.
	expect(cut).toBe(0);
	pending = {bytes: 100, since: performance.now() - 250};
	await waitFor('the cut', () => cut > 0);
});

test('a reader of a few bytes a second loses its slot to one that waits, and goes to the end of the queue', async () => {
	const times = {readFloor: {perSecond: 4 * MiB, patience: 300}, bodyTimeout: 60_000};
	const {catalog, port, events} = await uploadServer({slots: 1, times: {...times, sessionIdle: 100}});
	const {content} = await catalog.write('large.bin', someBytes(32 * MiB));
	const identity = await temporaryIdentity();
	const slow = trickle(port, content, '127.0.0.1', identity);
	await waitFor('its first bytes', () => slow.received > 3000);
	expect(events.filter(({event}) => event === 'upload-failed')).toEqual([]);
	const url = `/v1/files/${content}`;
	const got = await waitFor('the slot', async () => {
		const answer = await fetchFrom(port, url, {from: '127.0.0.2', headers: {range: 'bytes=0-9'}});
		return answer.status === 206 && answer;
	});
	expect(got.body).toHaveLength(10);
	// It still has what was on its way to read; here it is over.
	const ended = await waitFor('its end', () =>
		events.find(({event, peer}) => event === 'upload-failed' && peer === identity.id),
	);
	expect(ended.message).toMatch(/broken off at \d+%/);
});

test('two hundred of one address hold no more memory than their share, and another gets the only slot', async () => {
	const times = {readFloor: {perSecond: 4 * MiB, patience: 300}, bodyTimeout: 60_000};
	const {catalog, port, server} = await uploadServer({slots: 1, times});
	const bytes = someBytes(32 * MiB);
	const {content} = await catalog.write('large.bin', bytes);
	const before = process.memoryUsage().rss;
	const slow = Array.from({length: 200}, () => trickle(port, content, '127.0.0.1'));
	await waitFor('them to be sent something', () => slow.some(({received}) => received > 0));
	expect(server.totals().slots.used).toBe(1);
	const got = await waitFor('the slot', async () => {
		const answer = await fetchFrom(port, `/v1/files/${content}`, {from: '127.0.0.2'});
		return answer.status === 200 && answer;
	});
	expect(got.body.equals(bytes)).toBe(true);
	expect(process.memoryUsage().rss - before).toBeLessThan(400 * MiB);
});
