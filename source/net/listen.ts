import {isIPv4} from 'node:net';
import type {Address} from '../core/address.ts';
import {P2pError, systemCode} from '../core/errors.ts';

/** What {@link listen} needs of a fastify server. */
export type Listener = {
	listen(options: {host: string; port: number}): Promise<string>;
	server: {address(): {address: string; port: number} | string | null};
};

/** Where to listen. */
export type ListenOptions = {
	/** Default: all interfaces, IPv6 and IPv4. */
	host?: string;
	/** A port the person asked for: taken is an error. 0: the system chooses. */
	port?: number;
	/** Tried when no port was asked for; when taken, the system chooses another. */
	defaultPort: number;
};

/**
 * Starts listening.
 *
 * @returns the address, and whether the default port was taken so that another was chosen
 * @throws P2pError port-taken, or usage for an address that is not this machine's
 */
export async function listen(listener: Listener, options: ListenOptions): Promise<Address & {movedFrom?: number}> {
	const wanted = options.port ?? options.defaultPort;
	try {
		return await listenAt(listener, options.host, wanted);
	} catch (error) {
		const code = systemCode(error);
		if (code === 'EADDRINUSE' && options.port === undefined) {
			return {...(await listenAt(listener, options.host, 0)), movedFrom: wanted};
		}
		if (code === 'EADDRINUSE') {
			throw new P2pError('port-taken', `Port ${wanted} is taken by another program`, {
				cause: error,
				hint: 'Choose another with --port, or 0 for any free one',
			});
		}
		if (code === 'EACCES') {
			throw new P2pError('port-taken', `Port ${wanted} needs administrator rights`, {
				cause: error,
				hint: 'Choose one above 1023 with --port',
			});
		}
		if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
			throw new P2pError('usage', `${options.host} is not an address of this machine`, {
				cause: error,
				hint: 'Leave --host out to listen on all of them',
			});
		}
		throw error;
	}
}

async function listenAt(listener: Listener, host: string | undefined, port: number): Promise<Address> {
	try {
		await listener.listen({host: host ?? '::', port});
	} catch (error) {
		// A machine with IPv6 switched off.
		if (host !== undefined || !['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(systemCode(error) ?? ''))
			throw error;
		await listener.listen({host: '0.0.0.0', port});
	}
	const address = listener.server.address();
	if (!address || typeof address === 'string') throw new Error('not listening on a port');
	return {host: plainHost(address.address), port: address.port};
}

/** An address without the IPv4-in-IPv6 form that dual-stack sockets report: `::ffff:10.0.0.5` is `10.0.0.5`. */
export function plainHost(host: string): string {
	const mapped = host.replace(/^::ffff:/i, '');
	return isIPv4(mapped) ? mapped : host;
}

/** Whether the address is this machine itself. */
export function isLoopback(host: string): boolean {
	const plain = plainHost(host);
	return plain === '::1' || plain === 'localhost' || (isIPv4(plain) && plain.startsWith('127.'));
}
