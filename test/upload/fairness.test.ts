// What one greedy downloader cannot do to the others, and how those find out what holds them up.
import {once} from 'node:events';
import {Agent} from 'node:https';
import {connect} from 'node:net';
import {expect, onTestFinished, test} from 'vitest';
import {limits} from '../../source/api/limits.ts';
import {slotTimes, UploadSlots} from '../../source/upload/slots.ts';
import {fetchFrom, someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const MiB = 1024 * 1024;

test('an endless request keeps its slot only while nobody waits', () => {
	const clock = {now: 0};
	const slots = new UploadSlots(1, slotTimes, () => clock.now);
	const endless = slots.enter('greedy');
	if (!('release' in endless)) throw new Error('no slot');
	let revoked = 0;
	endless.revoked = () => {
		revoked++;
		endless.release();
	};
	clock.now += 10 * slotTimes.longest;
	expect(revoked).toBe(0);
	expect(slots.enter('patient')).toMatchObject({position: 1});
	expect(revoked).toBe(1);
	expect(slots.enter('patient')).toHaveProperty('release');
	expect(slots.enter('greedy')).toMatchObject({position: 1});
});

test('one that has had its slot for a short time is left alone', () => {
	const clock = {now: 0};
	const slots = new UploadSlots(1, slotTimes, () => clock.now);
	const running = slots.enter('a');
	if (!('release' in running)) throw new Error('no slot');
	running.revoked = () => expect.unreachable();
	clock.now += slotTimes.longest - 1;
	expect(slots.enter('b')).toMatchObject({position: 1});
});

test('over the wire: the endless answer is broken off and the next gets the slot', async () => {
	const {catalog, port, events} = await uploadServer({slots: 1, limit: 2 * MiB, times: {turn: 200, longest: 400}});
	const {content} = await catalog.write('large.bin', someBytes(32 * MiB));
	const url = `/v1/files/${content}`;
	const greedy = fetchFrom(port, url, {from: '127.0.0.1'});
	await waitFor('the upload', () => events.length > 0);
	const asked = {from: '127.0.0.2', headers: {range: 'bytes=0-9'}};
	const got = await waitFor('the slot', async () => {
		const answer = await fetchFrom(port, url, asked);
		return answer.status === 206 && answer;
	});
	expect(got.body).toHaveLength(10);
	expect((await greedy).complete).toBe(false);
});

test('one address has no more than its share of connections', async () => {
	const {catalog, port} = await uploadServer();
	const {content} = await catalog.write('a.txt', 'hello');
	const sockets = Array.from({length: limits.connectionsPerAddress}, () => connect({port, host: '127.0.0.1'}));
	onTestFinished(() => {
		for (const socket of sockets) socket.destroy();
	});
	await Promise.all(sockets.map(socket => once(socket, 'connect')));
	const url = `/v1/files/${content}`;
	await waitFor('a refusal', () =>
		fetchFrom(port, url).then(
			() => false,
			() => true,
		),
	);
	expect((await fetchFrom(port, url, {from: '127.0.0.2'})).status).toBe(200);
	for (const socket of sockets.splice(0)) socket.destroy();
	await waitFor('room again', () => fetchFrom(port, url).then(({status}) => status === 200));
});

test('tells what held it up: with the head, and of the answer before on the same connection', async () => {
	const {catalog, port} = await uploadServer({limit: MiB});
	const {content} = await catalog.write('a.bin', someBytes(MiB));
	const agent = new Agent({keepAlive: true, maxSockets: 1});
	onTestFinished(() => agent.destroy());
	const timing = async (range: string) => {
		const {headers} = await fetchFrom(port, `/v1/files/${content}`, {agent, headers: {range}});
		const [, disk, limit] = /^disk;dur=([\d.]+), limit;dur=([\d.]+)$/.exec(String(headers['server-timing'])) ?? [];
		return {disk: Number(disk), limit: Number(limit)};
	};
	const start = performance.now();
	expect((await timing('bytes=0-')).limit).toBeLessThan(100);
	const took = performance.now() - start;
	const {disk, limit} = await timing('bytes=0-9');
	expect(limit).toBeGreaterThan(400);
	expect(limit + disk).toBeLessThanOrEqual(took + 50);
	expect((await timing('bytes=0-9')).limit).toBeLessThan(100);
});

test('a crowd that connects at once is answered whole, and one that hangs up in the queue holds nobody up', async () => {
	const {catalog, port} = await uploadServer({slots: 200});
	const bytes = someBytes(10_000);
	const {content} = await catalog.write('small.bin', bytes);
	const hasty = Array.from({length: 50}, () => connect(port, '127.0.0.1').on('error', () => undefined));
	for (const socket of hasty) socket.destroy();
	const answers = await Promise.all(
		Array.from({length: 150}, (_, n) => fetchFrom(port, `/v1/files/${content}`, {from: `127.0.2.${n + 1}`})),
	);
	expect(answers.map(({status}) => status)).toEqual(answers.map(() => 200));
	expect(answers.every(({body}) => body.equals(bytes))).toBe(true);
});
