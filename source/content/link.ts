import {P2pError} from '../core/errors.ts';
import {isContentId} from './content-id.ts';

/** What a link says; everything but the content ID may be missing. */
export type ContentLink = {
	content: string;
	name?: string;
	size?: number;
	/** Index servers as HOST:PORT. */
	servers: string[];
};

/**
 * `magnet:?xt=urn:btmr:<content ID>&dn=<name>&xl=<size>&tr=<index server>`. `urn:btmr` names a BitTorrent v2 file root.
 * What no URL can carry (half of a surrogate pair in a name) becomes `\ufffd`.
 */
export function formatLink({content, name, size, servers}: ContentLink): string {
	const parts = [`xt=urn:btmr:${content}`];
	if (name !== undefined) parts.push(`dn=${encodeURIComponent(name.toWellFormed())}`);
	if (size !== undefined) parts.push(`xl=${size}`);
	for (const server of servers) parts.push(`tr=${encodeURIComponent(server.toWellFormed())}`);
	return `magnet:?${parts.join('&')}`;
}

/** Whether the text is meant as a link, right or wrong. */
export function looksLikeLink(text: string): boolean {
	return /^magnet:/i.test(text);
}

/** Reads a link. @throws P2pError usage when it names no content ID or a size that is none */
export function parseLink(text: string): ContentLink {
	const wrong = (why: string) =>
		new P2pError('usage', `Not a link to a file: ${why}`, {
			hint: 'A link looks like magnet:?xt=urn:btmr:<content ID>&dn=<name>',
		});
	if (!looksLikeLink(text)) throw wrong('it does not start with magnet:');
	const parameters = new URLSearchParams(text.slice(text.indexOf('?') + 1));
	const content = parameters
		.getAll('xt')
		.map(topic => /^urn:btmr:([0-9a-f]{64})$/i.exec(topic)?.[1]?.toLowerCase())
		.find(id => id !== undefined && isContentId(id));
	if (!content)
		throw wrong(
			parameters.getAll('xt').some(topic => /^urn:bt[im]h:/i.test(topic))
				? 'it names a whole torrent'
				: 'it has no xt=urn:btmr:<64 hex digits>',
		);
	const length = parameters.get('xl');
	const size = length === null ? undefined : Number(length);
	if (length !== null && !(/^\d+$/.test(length) && Number.isSafeInteger(size))) throw wrong(`xl=${length} is no size`);
	return {content, name: parameters.get('dn') ?? undefined, size, servers: parameters.getAll('tr')};
}
