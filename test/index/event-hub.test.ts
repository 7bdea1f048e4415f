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

async function hubWith(listeners: number) {
	const hub = new EventHub();
	const counts = {peers: 0, online: 0, files: 0, bytes: 0};
	const server = createServer((_request, response) => hub.add(response, undefined, counts));
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
