// A TCP relay before a server that counts what goes through it.
import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';

/** `sent`: bytes from those who connect to it, since {@link CountingRelay.reset}. */
export type CountingRelay = {port: number; sent(): number; reset(): void; close(): void};

/** Starts one on loopback. */
export async function countingRelay(port: number): Promise<CountingRelay> {
	let sent = 0;
	const open = new Set<Socket>();
	const relay = createServer(near => {
		const far = connect(port, '127.0.0.1');
		for (const [one, other] of [
			[near, far],
			[far, near],
		] as const) {
			open.add(one);
			one.on('error', () => other.destroy());
			one.on('close', () => {
				open.delete(one);
				other.destroy();
			});
			one.pipe(other);
		}
		near.on('data', data => (sent += data.length));
	});
	relay.listen(0, '127.0.0.1');
	await once(relay, 'listening');
	return {
		port: (relay.address() as AddressInfo).port,
		sent: () => sent,
		reset: () => {
			sent = 0;
		},
		close() {
			for (const socket of open) socket.destroy();
			relay.close();
		},
	};
}
