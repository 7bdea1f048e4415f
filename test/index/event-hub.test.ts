// Everyone who listens, over real connections.
import {once} from 'node:events';
import {createServer} from 'node:http';
import {connect, type Socket} from 'node:net';
import {setImmediate} from 'node:timers/promises';
import {expect, onTestFinished, test} from 'vitest';
import type {PeerInfo} from '../../source/api/schemas.ts';
import {EventHub} from '../../source/index/event-hub.ts';
import {waitFor} from '../helpers/wait-for.ts';

const peer = (n: number): PeerInfo => ({
	...{id: n.toString(16).padStart(64, '0'), number: n + 1, name: 'x'.repeat(64), host: '10.0.0.1', port: 1},
	...{files: n, bytes: 1, online: true, since: new Date(0).toISOString()},
	addresses: Array.from({length: 9}, () => 'y'.repeat(300)),
});

/** @param wrote told of everything that is written to a listener, when it is */
async function hubWith(listeners: number, wrote: (bytes: number) => void = () => undefined) {
	const hub = new EventHub();
	const counts = {peers: 0, online: 0, files: 0, bytes: 0};
	const server = createServer((_request, response) => {
		const write = response.write.bind(response);
		response.write = (text: string | Buffer) => {
			wrote(text.length);
			return write(text);
		};
		hub.add(response, undefined, counts);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const {port} = server.address() as {port: number};
	const sockets: Socket[] = [];
	for (let i = 0; i < listeners; i++) {
		const socket = connect(port, '127.0.0.1');
		socket.on('error', () => undefined);
		await once(socket, 'connect');
		socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
		sockets.push(socket);
	}
	await waitFor('all to listen', () => hub.size === listeners);
	onTestFinished(async () => {
		hub.close();
		for (const socket of sockets) socket.destroy();
		await new Promise(resolve => server.close(resolve));
	});
	return {hub, sockets};
}

test('a listener that does not read is dropped, one that reads is not', async () => {
	const {hub, sockets} = await hubWith(2);
	let read = 0;
	sockets[1]!.on('data', data => {
		read += data.length;
	});
	let told = 0;
	await waitFor('the one to be dropped', async () => {
		for (let i = 0; i < 20; i++) hub.tellPeer('peer-joined', peer(told++));
		await setImmediate();
		return hub.size === 1;
	});
	await waitFor('the other to have all', () => read > told * 2700);
	expect(hub.size).toBe(1);
});

test('changes of one peer are told once a second, the newest last; coming and going at once', async () => {
	const {hub, sockets} = await hubWith(1);
	let text = '';
	sockets[0]!.on('data', data => {
		text += data;
	});
	for (let files = 0; files <= 500; files++) hub.tellPeer('peer-updated', {...peer(1), files});
	hub.tellPeer('peer-updated', peer(2));
	hub.tellPeer('peer-left', peer(3));
	await waitFor('the last change', () => text.includes('"files":500,'));
	const told = text.split('\n').filter(line => line.startsWith('event:'));
	expect(told.slice(1)).toEqual([
		'event: peer-updated',
		'event: peer-updated',
		'event: peer-left',
		'event: peer-updated',
	]);
});

test('long news go to a few listeners at a time, and all of it to everyone', async () => {
	const written: number[] = [];
	let at = 0;
	const {hub, sockets} = await hubWith(30, bytes => {
		if (written[at] === undefined) process.nextTick(() => at++);
		written[at] = (written[at] ?? 0) + bytes;
	});
	const texts = sockets.map(() => '');
	for (const [index, socket] of sockets.entries())
		socket.on('data', data => {
			texts[index] += data.toString('latin1');
		});
	await waitFor('the greetings', () => texts.every(text => text.includes('event: hello')));
	[written.length, at] = [0, 0];
	for (let told = 0; told < 40; told++) hub.tellPeer('peer-joined', peer(told));
	await waitFor('all to hear the last', () => texts.every(text => text.includes(`"id":"${peer(39).id}"`)));
	expect(texts.map(text => text.split('event: peer-joined').length - 1)).toEqual(sockets.map(() => 40));
	expect(Math.max(...written)).toBeLessThan(2 * 256 * 1024);
	expect(written.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(30 * 40 * 2700);
});
