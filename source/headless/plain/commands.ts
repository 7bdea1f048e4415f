// The plain interface's commands: one table, from which the help is made.
import type {ContentSources} from '../../api/schemas.ts';
import {displayText} from '../../core/display.ts';
import {P2pError} from '../../core/errors.ts';
import {formatBytes, shortDuration, shortId} from '../../core/format.ts';
import type {PeerEngine, TransferRow} from '../../engine/messages.ts';

/** What the commands work on: the engine, and what the last lists numbered. */
export type PlainState = {
	engine: PeerEngine;
	/** The last search's files, in the order they were printed. */
	hits: ContentSources[];
	/** Keys of the transfers that were printed last. */
	transfers: string[];
	print(line: string): void;
};

/** One command: how it is called, what it does. */
export type PlainCommand = {
	name: string;
	/** Its arguments, for the help. */
	usage: string;
	help: string;
	run(state: PlainState, argument: string): Promise<void> | void;
};

const hitsPrinted = 20;
const count = (number: number, word: string) => `${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;

async function search(state: PlainState, query: string): Promise<void> {
	if (query === '') throw new P2pError('usage', 'Search for what? For example: search ubuntu');
	const answer = await state.engine.commands.search({query, limit: hitsPrinted});
	state.hits = answer.hits;
	state.print(`${count(answer.total, 'file')}${answer.more ? ' or more' : ''} in ${answer.ms} ms`);
	for (const [index, hit] of answer.hits.entries()) {
		const holders = hit.sources.map(source => `${source.name}${source.online ? '' : ' (offline)'}`).join(', ');
		state.print(`${index + 1}. ${displayText(hit.name)}, ${formatBytes(hit.size)}, held by ${displayText(holders)}`);
	}
	if (answer.total > hitsPrinted) state.print(`Only the first ${hitsPrinted} are listed: a longer query finds fewer`);
	if (answer.hits.length > 0) state.print('get and a number downloads one: get 1, or get 1 from a peer');
}

/** The row that a number of the last list, or the start of a name, means. @throws P2pError usage, not-found, ambiguous */
function chosen<T>(rows: readonly T[], asked: string, nameOf: (row: T) => string, what: string): T {
	const number = /^\d+$/.test(asked) ? Number(asked) : undefined;
	const byNumber = number === undefined ? undefined : rows[number - 1];
	if (byNumber !== undefined) return byNumber;
	const found = asked === '' ? [] : rows.filter(row => nameOf(row).toLowerCase().startsWith(asked.toLowerCase()));
	if (found.length === 1 && found[0] !== undefined) return found[0];
	if (asked === '') throw new P2pError('usage', `Which ${what}? Give its number`);
	if (found.length > 1) throw new P2pError('ambiguous', `Several ${what}s begin with ${asked}: give a number`);
	throw new P2pError('not-found', `There is no ${what} ${asked}`);
}

async function get(state: PlainState, argument: string): Promise<void> {
	const [, wanted = '', peers] = /^(.*?)(?:\s+from\s+(.+))?$/i.exec(argument) ?? [];
	if (state.hits.length === 0) await search(state, wanted);
	const hit = chosen(state.hits, wanted.trim(), row => row.name, 'file');
	const from = peers
		?.split(/[\s,]+/)
		.filter(Boolean)
		.map(name => {
			const source = hit.sources.find(
				({peer, number, name: nick}) => nick === name || String(number) === name || peer.startsWith(name),
			);
			if (!source) throw new P2pError('no-source', `${name} does not hold ${hit.name}`);
			return source.peer;
		});
	const {content, name, size} = hit;
	const {existed} = await state.engine.commands.get({content, name, size, ...(from && {from})});
	state.print(existed ? `${displayText(name)} is already there or on its way` : `Getting ${displayText(name)}`);
}

function transferText(row: TransferRow): string {
	const percent = row.size === 0 ? 100 : Math.floor((row.done / row.size) * 100);
	const left = row.speed > 0 ? `, ${shortDuration((row.size - row.done) / row.speed)} left` : '';
	const speed = row.state === 'running' ? `, ${formatBytes(row.speed)}/s${left}` : '';
	const why = row.message ?? row.bottleneck?.text;
	const way = row.direction === 'down' ? 'download' : 'upload';
	return `${displayText(row.name)}, ${way}, ${row.state}, ${percent}% of ${formatBytes(row.size)}${speed}${why ? `, ${displayText(why)}` : ''}`;
}

function transfers(state: PlainState): void {
	const {rows, total} = state.engine.snapshot().transfers;
	state.transfers = rows.map(row => row.key);
	if (total === 0) state.print('Nothing is on its way');
	for (const [index, row] of rows.entries()) state.print(`${index + 1}. ${transferText(row)}`);
	if (total > rows.length) state.print(`and ${total - rows.length} more`);
}

/** A command that acts on one transfer, given by its number in the last list or by its name. */
function onTransfer(act: (state: PlainState, key: string) => Promise<void>, done: string): PlainCommand['run'] {
	return async (state, argument) => {
		const {rows} = state.engine.snapshot().transfers;
		// Numbers mean the list as it was printed, whatever moved since.
		const listed = state.transfers.flatMap(key => rows.find(row => row.key === key) ?? []);
		const row = chosen(listed.length > 0 ? listed : rows, argument, ({name}) => name, 'transfer');
		await act(state, row.key);
		state.print(`${displayText(row.name)}: ${done}`);
	};
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
	if (peer === '') throw new P2pError('usage', 'List what? ls and a peer: ls alice, or ls alice folder');
	const {entries, cursor} = await state.engine.commands.browse({peer, path});
	if (entries.length === 0) state.print('This folder is empty');
	for (const entry of entries) {
		const files = entry.type === 'folder' ? `/, ${count(entry.files, 'file')}` : '';
		state.print(`${displayText(entry.path)}${files}, ${formatBytes(entry.size)}`);
	}
	if (cursor !== undefined) state.print('and more');
}

function status(state: PlainState): void {
	const {name, servers, down, up, scan} = state.engine.snapshot();
	for (const link of servers)
		state.print(`server ${link.address}: ${link.state}${link.message ? `, ${link.message}` : ''}`);
	state.print(`${displayText(name)} shares ${count(scan.files, 'file')}, ${formatBytes(scan.bytes)}`);
	state.print(`down ${formatBytes(down.now)}/s, up ${formatBytes(up.now)}/s`);
}

function shares(state: PlainState): void {
	const rows = state.engine.snapshot().shares;
	if (rows.length === 0) state.print('Nothing is shared: share and a folder adds one');
	for (const row of rows) {
		state.print(
			`${displayText(row.name)}, ${displayText(row.folder)}, ${count(row.files, 'file')}, ${formatBytes(row.bytes)}, ${row.state}`,
		);
	}
}

/** Every command, in the order of the help. `quit` and `help` belong to the session. */
export const plainCommands: readonly PlainCommand[] = [
	{name: 'search', usage: 'WORDS', help: 'find files that anybody shares', run: search},
	{name: 'get', usage: 'NUMBER [from PEER…]', help: 'download a file of the last search', run: get},
	{name: 'transfers', usage: '', help: 'what comes and goes', run: transfers},
	{
		name: 'pause',
		usage: 'NUMBER',
		help: 'pause a download',
		run: onTransfer(({engine}, key) => engine.commands.pause({key}), 'paused'),
	},
	{
		name: 'resume',
		usage: 'NUMBER',
		help: 'let it go on',
		run: onTransfer(({engine}, key) => engine.commands.resume({key}), 'goes on'),
	},
	{
		name: 'retry',
		usage: 'NUMBER',
		help: 'try a failed download again',
		run: onTransfer(({engine}, key) => engine.commands.retry({key}), 'tried again'),
	},
	{
		name: 'cancel',
		usage: 'NUMBER',
		help: 'end a download and delete its partial file',
		run: onTransfer(({engine}, key) => engine.commands.cancel({key}), 'cancelled'),
	},
	{name: 'peers', usage: '', help: 'who is registered', run: peers},
	{name: 'ls', usage: 'PEER [PATH]', help: 'what a peer shares', run: list},
	{name: 'shares', usage: '', help: 'what you share', run: shares},
	{
		name: 'share',
		usage: 'FOLDER',
		help: 'share a folder',
		async run({engine, print}, folder) {
			if (folder === '') throw new P2pError('usage', 'Share which folder? For example: share ~/Music');
			print(`Sharing ${displayText((await engine.commands.addShare({folder})).name)}`);
		},
	},
	{
		name: 'unshare',
		usage: 'NAME',
		help: 'stop sharing a folder; nothing is deleted',
		async run({engine, print}, asked) {
			const {name} = chosen(engine.snapshot().shares, asked, row => row.name, 'share');
			await engine.commands.removeShare({name});
			print(`${displayText(name)} is no longer shared`);
		},
	},
	{name: 'status', usage: '', help: 'servers, shares and speeds', run: status},
];
