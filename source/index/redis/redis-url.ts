import {P2pError} from '../../core/errors.ts';

/** Where a cluster is, and how to get in. */
export type RedisPlace = {
	nodes: {host: string; port: number}[];
	tls: boolean;
	username?: string;
	password?: string;
};

const defaultPort = 6379;
const hint = 'Write redis://HOST:PORT[,HOST:PORT…], with rediss:// for TLS and redis://:PASSWORD@HOST for a password';

/** Whether a text means a Redis rather than a file. */
export function isRedisUrl(text: string): boolean {
	return /^rediss?:\/\//i.test(text);
}

/**
 * Reads `redis[s]://[[user]:password@]host[:port][,host[:port]…]`, the scheme of Redis' own tools with several nodes.
 *
 * @throws P2pError usage; it never repeats the password
 */
export function parseRedisUrl(text: string): RedisPlace {
	const match = /^(rediss?):\/\/(?:([^@]*)@)?([^@/?#]+)\/?([^@]*)$/i.exec(text.trim());
	if (!match) throw new P2pError('usage', 'Not the address of a Redis Cluster', {hint});
	const [, scheme = '', login, hosts = '', rest] = match;
	if (rest && rest !== '0')
		throw new P2pError('usage', 'A Redis Cluster has one database, number 0, and takes no further settings', {hint});
	const place: RedisPlace = {nodes: hosts.split(',').map(readNode), tls: scheme.toLowerCase() === 'rediss'};
	if (login === undefined || login === '') return place;
	const colon = login.indexOf(':');
	const username = decode(colon < 0 ? login : login.slice(0, colon));
	if (username !== '') place.username = username;
	if (colon >= 0) place.password = decode(login.slice(colon + 1));
	return place;
}

/** The nodes alone, for messages: without user and password. */
export function describePlace({nodes}: RedisPlace): string {
	return nodes.map(({host, port}) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(', ');
}

function readNode(text: string): {host: string; port: number} {
	const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/i.exec(text.trim());
	const port = Number(match?.[3] ?? defaultPort);
	if (!match || port < 1 || port > 65_535)
		throw new P2pError('usage', `Not a node of a Redis Cluster: ${text}`, {hint});
	return {host: match[1] ?? match[2] ?? '', port};
}

function decode(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		throw new P2pError('usage', 'The user or password in the address of the Redis Cluster is not URL-encoded', {hint});
	}
}
