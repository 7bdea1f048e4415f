import type {Server} from 'node:net';
import type {TLSSocket} from 'node:tls';

/** Counts what went over all connections of a server, in bytes before encryption. */
export class TrafficCounter {
	readonly #open = new Set<TLSSocket>();
	#in = 0;
	#out = 0;

	constructor(server: Server) {
		server.on('secureConnection', (socket: TLSSocket) => {
			this.#open.add(socket);
			socket.once('close', () => {
				this.#open.delete(socket);
				this.#in += socket.bytesRead;
				this.#out += socket.bytesWritten;
			});
		});
	}

	/** Since the start, with how many connections are open. */
	read(): {bytesIn: number; bytesOut: number; connections: number} {
		let bytesIn = this.#in;
		let bytesOut = this.#out;
		for (const socket of this.#open) {
			bytesIn += socket.bytesRead;
			bytesOut += socket.bytesWritten;
		}
		return {bytesIn, bytesOut, connections: this.#open.size};
	}
}
