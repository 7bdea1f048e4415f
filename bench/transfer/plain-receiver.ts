// node plain-receiver.ts FILE PORT: writes what comes to the file, and syncs it.
import {once} from 'node:events';
import {closeSync, fsyncSync, openSync, writeSync} from 'node:fs';
import {connect} from 'node:net';

const [file = '', port] = process.argv.slice(2);
const fd = openSync(file, 'w');
const socket = connect({
	port: Number(port),
	host: '127.0.0.1',
	onread: {
		buffer: Buffer.alloc(1024),
		callback(length, buffer) {
			writeSync(fd, buffer, 0, length);
			return true;
		},
	},
});
socket.resume();
await once(socket, 'close');
fsyncSync(fd);
closeSync(fd);
