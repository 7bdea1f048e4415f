import {P2pError} from '../core/errors.ts';
import {checkSharePath} from '../core/share-path.ts';

/** A folder (or one file) by where it is: which peer shares it, and as what. */
export type FolderLink = {
	/** Peer ID. */
	peer: string;
	/** Catalog path; empty: all that the peer shares. */
	path: string;
	/** Index servers as HOST:PORT. */
	servers: string[];
};

const scheme = 'p2p-tui://';
const hint = 'A link to a folder looks like p2p-tui://<peer ID>/<share>/<folder>?tr=<index server>';

/**
 * `p2p-tui://<peer ID>/<catalog path>?tr=<index server>`, everything percent-encoded that a shell, a chat or a URL could
 * take for something else, but for `?` and `&` themselves.
 */
export function formatFolderLink({peer, path, servers}: FolderLink): string {
	const query = servers.map(server => `tr=${encode(server)}`).join('&');
	return `${scheme}${peer}/${path.split('/').map(encode).join('/')}${query && `?${query}`}`;
}

/** Whether the text is meant as a link to a folder, right or wrong. */
export function looksLikeFolderLink(text: string): boolean {
	return text.slice(0, scheme.length).toLowerCase() === scheme;
}

/**
 * Reads a link. Strict: what could be read in two ways is refused. Parameters other than `tr` are passed over.
 *
 * @throws P2pError usage, or bad-name for a path that no peer can share
 */
export function parseFolderLink(text: string): FolderLink {
	const match = /^p2p-tui:\/\/([0-9a-f]{64})(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(text);
	if (!match) {
		const why = looksLikeFolderLink(text)
			? 'it does not name a peer by its 64 hex digits'
			: `it does not start with ${scheme}`;
		throw new P2pError('usage', `Not a link to a folder: ${why}`, {hint});
	}
	const [, peer = '', inside = '', query = ''] = match;
	const path = inside
		.replace(/\/$/, '')
		.split('/')
		.map(part => decode(part))
		.join('/');
	const servers = query
		.split('&')
		.filter(parameter => parameter.startsWith('tr='))
		.map(parameter => decode(parameter.slice('tr='.length), true));
	return {peer: peer.toLowerCase(), path: path === '' ? '' : checkSharePath(path), servers};
}

function encode(text: string): string {
	return encodeURIComponent(text.toWellFormed()).replace(
		/[!'()*~]/g,
		character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
	);
}

/** @throws P2pError usage for bad escapes, and for a `/` in a part of a path */
function decode(part: string, withSlash = false): string {
	let text: string;
	try {
		text = decodeURIComponent(part);
	} catch {
		throw new P2pError('usage', `Not a link to a folder: "${part}" is not percent-encoded UTF-8`, {hint});
	}
	if (!withSlash && text.includes('/'))
		throw new P2pError('usage', `Not a link to a folder: "${part}" hides a slash`, {hint});
	return text;
}
