import {isIP} from 'node:net';
import {P2pError} from './errors.ts';

/** Where a program listens: `host` without brackets. */
export type Address = {host: string; port: number};

/** The default ports of the two modes. */
export const defaultPorts = {server: 45_000, peer: 25_000} as const;

/** A port as typed. @throws P2pError usage when it is no whole number from 0 to 65535 */
export function parsePort(text: string): number {
	const port = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
	if (!(port <= 65_535)) throw new P2pError('usage', `Port must be 0-65535, got ${text}`);
	return port;
}

/** A host as typed: `0` means localhost, brackets around IPv6 may be left out. @throws P2pError usage */
export function parseHost(text: string): string {
	const host = text.trim().replace(/^\[(.*)\]$/, '$1');
	if (host === '0') return '127.0.0.1';
	if (isIP(host)) return host;
	if (/^\d+(\.\d+)*$/.test(host))
		throw new P2pError('usage', `Not an IP address: ${text}`, {
			hint: 'Write it as 192.168.1.20, a host name, or 0 for this machine',
		});
	if (/^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i.test(host))
		return host;
	throw new P2pError('usage', `Not an address: ${text || '(empty)'}`, {
		hint: 'Write it as HOST or HOST:PORT; 0 means this machine',
	});
}

/** `HOST`, `HOST:PORT`, `[IPv6]:PORT` or `0`. @throws P2pError usage */
export function parseAddress(text: string, defaultPort: number): Address {
	const trimmed = text.trim();
	if (isIP(trimmed) === 6) return {host: trimmed, port: defaultPort};
	const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(trimmed);
	if (!match)
		throw new P2pError('usage', `Not an address: ${text}`, {hint: 'Write it as HOST or HOST:PORT, IPv6 in brackets'});
	const port = match[2] === undefined ? defaultPort : parsePort(match[2]);
	if (port === 0) throw new P2pError('usage', 'Port must be 1-65535, got 0');
	return {host: parseHost(match[1] ?? ''), port};
}

/** The address as a person types it and a URL takes it. */
export function formatAddress({host, port}: Address): string {
	return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
