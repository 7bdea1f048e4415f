// node plain-sender.ts FILE PORT: sends the file to whoever connects.
import {once} from 'node:events';
import {closeSync, openSync, readSync} from 'node:fs';
import {createServer, type Socket} from 'node:net';

const [file = '', port] = process.argv.slice(2);

async function send(socket: Socket): Promise<void> {
	const fd = openSync(file, 'r');
	try {
		for (;;) {
			const buffer = Buffer.allocUnsafe(1024);
			const length = readSync(fd, buffer);
			if (length === 0) break;
			if (!socket.write(buffer.subarray(0, length))) await once(socket, 'drain');
		}
		socket.end();
	} finally {
		closeSync(fd);
	}
}

createServer(socket => {
	socket.on('error', () => undefined);
	send(socket).catch(() => socket.destroy());
}).listen(Number(port), '127.0.0.1');
