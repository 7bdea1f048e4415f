import {createServer} from 'node:https';
import {connect} from 'node:tls';
import {expect, onTestFinished, test} from 'vitest';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {tlsServerOptions} from '../../source/net/tls-options.ts';

test('whoever sends headers too slowly is cut off about when the limit says, not half a minute later', async () => {
	const identity = await temporaryIdentity();
	const server = createServer({...tlsServerOptions(identity), headersTimeout: 500});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const {port} = server.address() as {port: number};
	const socket = connect({host: '127.0.0.1', port, rejectUnauthorized: false});
	onTestFinished(async () => {
		socket.destroy();
		server.closeAllConnections();
		await new Promise(resolve => server.close(resolve));
	});
	socket.on('error', () => undefined);
	const drip = setInterval(() => socket.write('x'), 100);
	socket.write('GET / HTTP/1.1\r\nX: ');
	const begin = Date.now();
	await new Promise(resolve => socket.once('close', resolve));
	clearInterval(drip);
	expect(Date.now() - begin).toBeLessThan(15_000);
});
