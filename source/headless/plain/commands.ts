// The plain interface's commands: one table, from which the help is made.
import type {ContentSources, SearchResponse, Source} from '../../api/schemas.ts';
import type {Preferences} from '../../config/preferences.ts';
import {displayText} from '../../core/display.ts';
import {P2pError} from '../../core/errors.ts';
import {formatBytes, shortId} from '../../core/format.ts';
import type {PeerEngine} from '../../engine/messages.ts';
import {chosen, count, peerNames} from './chosen.ts';
import {setCommand} from './set-command.ts';
import {shareCommands} from './share-commands.ts';
import {transferCommands} from './transfer-commands.ts';

/** What the commands work on: the engine, and what the last lists numbered. */
export type PlainState = {
	engine: PeerEngine;
	/** The last search's files, in the order they were printed. */
	hits: ContentSources[];
	/** Where the last search's next page begins. */
	more?: {query: string; cursor: string} | undefined;
	/** Keys of the transfers that were printed last. */
	transfers: string[];
	print(line: string): void;
	/** Writes settings down for the next start. */
	save?: ((changes: Preferences) => Promise<void>) | undefined;
};

/** One command: how it is called, what it does. */
export type PlainCommand<State = PlainState> = {
	name: string;
	/** Its arguments, for the help. */
	usage: string;
	help: string;
	run(state: State, argument: string): Promise<void> | void;
};

const hitsPrinted = 20;
async function search(state: PlainState, query: string): Promise<void> {
	if (query === '') throw new P2pError('usage', 'Search for what? For example: search ubuntu');
	const answer = await state.engine.commands.search({query, limit: hitsPrinted});
	state.hits = [];
	state.print(`${count(answer.total, 'file')}${answer.more ? ' or more' : ''} in ${answer.ms} ms`);
	addHits(state, query, answer);
	if (answer.hits.length > 0) state.print('get and a number downloads one: get 1, or get 1 from a peer, and another');
}

/** Prints hits, numbered on from those that were printed before. */
function addHits(state: PlainState, query: string, {hits, cursor}: SearchResponse): void {
	for (const hit of hits) {
		state.hits.push(hit);
		const holders = hit.sources.map(source => `${source.name}${source.online ? '' : ' (offline)'}`).join(', ');
		const others = hit.sourceCount > hit.sources.length ? ` and ${hit.sourceCount - hit.sources.length} more` : '';
		state.print(
			`${state.hits.length}. ${displayText(hit.name)}, ${formatBytes(hit.size)}, held by ${displayText(holders)}${others}`,
		);
	}
	state.more = cursor === undefined ? undefined : {query, cursor};
	if (cursor !== undefined) state.print('more lists the next ones; a longer query finds fewer');
}

async function more(state: PlainState): Promise<void> {
	if (!state.more) throw new P2pError('usage', 'There are no more: search first');
	const {query, cursor} = state.more;
	addHits(state, query, await state.engine.commands.search({query, limit: hitsPrinted, cursor}));
}

/** @throws P2pError no-source, ambiguous */
function sourceCalled(sources: readonly Source[], asked: string, file: string): Source {
	const exact = sources.filter(({name, number}) => name === asked || String(number) === asked);
	const found = exact.length > 0 ? exact : sources.filter(({peer}) => peer.startsWith(asked.toLowerCase()));
	if (found.length > 1) throw new P2pError('ambiguous', `Several peers are called ${asked}: give a number or an ID`);
	if (!found[0]) throw new P2pError('no-source', `${asked} does not hold ${file}`);
	return found[0];
}

async function get(state: PlainState, argument: string): Promise<void> {
	const [, wanted = '', peers] = /^(.*?)(?:\s+from\s+(.+))?$/i.exec(argument) ?? [];
	if (state.hits.length === 0) await search(state, wanted);
	const hit = chosen(state.hits, wanted.trim(), row => row.name, 'file');
	const {content, name, size} = hit;
	// A hit names a few of its sources only; whom one asks for by name may be another.
	const {sources} = peers === undefined ? hit : await state.engine.commands.sources({content});
	const from = peers && [...new Set(peerNames(peers, sources).map(asked => sourceCalled(sources, asked, name).peer))];
	const {existed} = await state.engine.commands.get({content, name, size, ...(from && {from})});
	state.print(existed ? `${displayText(name)} is already there or on its way` : `Getting ${displayText(name)}`);
}

function peers(state: PlainState): void {
	const {rows, online} = state.engine.snapshot().peers;
	state.print(`${count(online, 'peer')} online`);
	for (const row of rows) {
		const rtt = row.rtt === undefined ? '' : `, ${Math.round(row.rtt)} ms away`;
		const who = row.self ? ', this is you' : row.online ? rtt : ', offline';
		state.print(
			`${row.number}. ${displayText(row.name)}, ${shortId(row.id)}, ${row.host}:${row.port}, ${count(row.files, 'file')}${who}`,
		);
	}
}

async function list(state: PlainState, argument: string): Promise<void> {
	const [, peer = '', path = ''] = /^(\S*)\s*(.*)$/.exec(argument) ?? [];
	if (peer === '') throw new P2pError('usage', 'Browse whom? For example: browse alice, or browse alice folder');
	const {entries, cursor} = await state.engine.commands.browse({peer, path});
	if (entries.length === 0) state.print('This folder is empty');
	for (const entry of entries) {
		const files = entry.type === 'folder' ? `/, ${count(entry.files, 'file')}` : '';
		state.print(`${displayText(entry.path)}${files}, ${formatBytes(entry.size)}`);
	}
	if (cursor !== undefined) state.print('and more');
}

async function fetchPath(state: PlainState, argument: string): Promise<void> {
	const [, peer = '', path = ''] = /^(\S*)\s*(.*)$/.exec(argument) ?? [];
	if (path === '')
		throw new P2pError('usage', 'Fetch what? A peer and a path that browse shows: fetch alice music/live');
	const {existed} = await state.engine.commands.getFolder({peer, path: path.replace(/\/+$/, '')});
	state.print(existed ? `${displayText(path)} is already there or on its way` : `Getting ${displayText(path)}`);
}

function log(state: PlainState, argument: string): void {
	if (!/^\d{0,3}$/.test(argument)) throw new P2pError('usage', 'How many lines? For example: log 50');
	const lines = state.engine.snapshot().log.slice(-(Number(argument) || 20));
	if (lines.length === 0) state.print('Nothing happened yet');
	for (const {time, level, text} of lines)
		state.print(
			`${new Date(time).toTimeString().slice(0, 8)} ${level === 'info' ? '' : `${level}: `}${displayText(text)}`,
		);
}

function status(state: PlainState): void {
	const {name, servers, down, up, scan} = state.engine.snapshot();
	for (const link of servers)
		state.print(`server ${link.address}: ${link.state}${link.message ? `, ${link.message}` : ''}`);
	state.print(`${displayText(name)} shares ${count(scan.files, 'file')}, ${formatBytes(scan.bytes)}`);
	state.print(`down ${formatBytes(down.now)}/s, up ${formatBytes(up.now)}/s`);
}

/** Every command, in the order of the help. `quit` and `help` belong to the session. */
export const plainCommands: readonly PlainCommand[] = [
	{name: 'search', usage: 'WORDS', help: 'find files that anybody shares', run: search},
	{name: 'get', usage: 'NUMBER [from PEER…]', help: 'download a file of the last search', run: get},
	{name: 'more', usage: '', help: 'the next files of the last search', run: more},
	...transferCommands,
	{name: 'peers', usage: '', help: 'who is registered', run: peers},
	{name: 'browse', usage: 'PEER [PATH]', help: 'what a peer shares', run: list},
	{name: 'ls', usage: 'PEER [PATH]', help: 'the same', run: list},
	{name: 'fetch', usage: 'PEER PATH', help: 'download a file or a whole folder of that peer', run: fetchPath},
	...shareCommands,
	{name: 'status', usage: '', help: 'servers, shares and speeds', run: status},
	{name: 'log', usage: '[LINES]', help: 'what happened last', run: log},
	{
		name: 'set',
		usage: '[NAME VALUE]',
		help: 'limits, slots and your name; without a name, which there are',
		run: setCommand,
	},
];
