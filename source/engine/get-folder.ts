// What `p2p-tui get <path> --from PEER` is asked for: all files below a folder of one peer, or one of its files.

import {limits} from '../api/limits.ts';
import type {BrowseEntry, BrowseResponse, PeerInfo} from '../api/schemas.ts';
import {P2pError} from '../core/errors.ts';
import {baseName, sharePathProblem} from '../core/share-path.ts';
import type {DownloadRequest, FolderRequest} from '../download/types.ts';
import {eachPage} from '../net/each-page.ts';
import type {SecureClient} from '../net/secure-client.ts';
import {askPeer} from './browse-peer.ts';
import type {Router} from './directory.ts';

/** Folders that are listed at once. */
const listedAtOnce = 8;

/** A folder of a peer, ready to be downloaded. `from`: the peer alone, since it is the one that was asked for. */
export type PeerFolder = Required<FolderRequest>;

/** One file of a peer, by its path there. */
export type PeerFile = Required<DownloadRequest>;

/**
 * What lies under a path of a peer: a file, or a folder with all that is below it. The peer is asked itself, since an
 * index server knows files only; its list does, without the empty folders, when the peer cannot be asked.
 *
 * @param client to ask the peer with
 * @param peer number, peer ID or its start, or nickname
 * @param path catalog path; empty: all that it shares
 * @throws P2pError not-found when there is nothing under the path; no-source when the peer is offline;
 * bad-name when the list holds a path that can be none; too-large
 */
export async function readPath(
	router: Router,
	client: SecureClient,
	peer: string,
	path: string,
	signal?: AbortSignal,
): Promise<PeerFolder | PeerFile> {
	const top = path.replace(/^\/+|\/+$/g, '');
	const info = await router.peer(peer, signal);
	if (!info.online) throw new P2pError('no-source', `${info.name} is offline`, {hint: 'Try again when it is back'});
	const {files, folders} = await listTree(await bestList(router, client, info, top, signal), info, top, signal);
	if (files.length + folders.length === 0)
		throw new P2pError('not-found', `${info.name} shares nothing under ${top}`, {
			hint: `See what it shares with: p2p-tui ls ${info.number}`,
		});
	const {id, number, name, host, port, addresses} = info;
	const only = {sources: [{peer: id, number, name, host, port, addresses}], from: [id]};
	const [first] = files;
	if (first?.path === top) return {name: baseName(top), content: first.content, size: first.size, ...only};
	const inside = (path: string) => (top === '' ? path : path.slice(top.length + 1));
	return {
		name: top === '' ? name : baseName(top),
		files: files.map(file => ({...file, path: inside(file.path)})),
		folders: folders.map(inside),
		...only,
	};
}

type Listed = {path: string; content: string; size: number};

/** Answers a page of a folder. `whole`: empty folders are in it. */
type List = {whole: boolean; page(path: string, cursor?: string): Promise<BrowseResponse>};

async function bestList(
	router: Router,
	client: SecureClient,
	{id, host, port, addresses}: PeerInfo,
	top: string,
	signal?: AbortSignal,
): Promise<List> {
	const ask = (path: string, cursor?: string) => askPeer(client, {id, host, port, addresses}, {path, cursor, signal});
	try {
		let first: BrowseResponse | undefined = await ask(top);
		return {
			whole: true,
			async page(path, cursor) {
				const known = path === top && cursor === undefined ? first : undefined;
				if (known) first = undefined;
				return known ?? ask(path, cursor);
			},
		};
	} catch {
		signal?.throwIfAborted();
		return {whole: false, page: (path, cursor) => router.browse(id, {path, cursor, signal})};
	}
}

/** All files below a folder, and the folders that hold nothing. */
async function listTree(
	source: List,
	peer: PeerInfo,
	top: string,
	signal?: AbortSignal,
): Promise<{files: Listed[]; folders: string[]}> {
	const files: Listed[] = [];
	const empty: string[] = [];
	const folders = [top];
	let listing = 0;
	const list = async (folder: string) => {
		let entries = 0;
		for await (const page of eachPage(cursor => source.page(folder, cursor))) {
			for (const entry of page.entries) take(entry, folder);
			entries += page.entries.length;
		}
		if (source.whole && entries === 0) empty.push(folder);
	};
	const take = (entry: BrowseEntry, folder: string) => {
		const inside = folder === '' || entry.path.startsWith(`${folder}/`) || entry.path === top;
		// A folder that is below itself would have no end.
		if (sharePathProblem(entry.path) || !inside || (entry.type === 'folder' && entry.path.length <= folder.length))
			throw new P2pError('bad-name', `${peer.name} lists a file that cannot be in its folder ${folder}`);
		if (entry.type === 'folder') folders.push(entry.path);
		else files.push({path: entry.path, content: entry.content, size: entry.size});
		if (files.length + folders.length + empty.length > limits.folderFiles)
			throw new P2pError('too-large', `There are more than ${limits.folderFiles} files in ${top}`, {
				hint: 'Get the folders inside one by one',
			});
	};
	const work = async () => {
		for (;;) {
			signal?.throwIfAborted();
			const folder = folders.pop();
			if (folder !== undefined) {
				listing++;
				await list(folder).finally(() => listing--);
			} else if (listing === 0) return;
			else await new Promise(resolve => setTimeout(resolve, 5));
		}
	};
	await Promise.all(Array.from({length: listedAtOnce}, work));
	return {files, folders: empty};
}
