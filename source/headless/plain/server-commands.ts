// An index server's commands in the plain interface: what its dashboard shows, and what can be done there.
import {displayText} from '../../core/display.ts';
import {P2pError} from '../../core/errors.ts';
import {formatBytes, shortDuration, shortId} from '../../core/format.ts';
import type {ServerEngine} from '../../engine/messages.ts';
import {count} from './chosen.ts';
import type {PlainCommand} from './commands.ts';

/** What the commands of a server work on. */
export type ServerPlainState = {engine: ServerEngine; print(line: string): void};

function status({engine, print}: ServerPlainState): void {
	const {name, host, port, startedAt, counts, requests, latency, errorShare} = engine.snapshot();
	const since = shortDuration(Math.max(0, (Date.now() - startedAt) / 1000));
	print(`${displayText(name)} listens at ${host}:${port}, for ${since}`);
	print(
		`${count(counts.online, 'peer')} online of ${counts.peers.toLocaleString('en')}, ${count(counts.files, 'file')}, ${formatBytes(counts.bytes)}`,
	);
	print(
		`${count(requests.now, 'request')} a second, p50 ${latency.p50.toFixed(1)} ms, p99 ${latency.p99.toFixed(1)} ms, errors ${(errorShare * 100).toFixed(1)}%`,
	);
}

function peers({engine, print}: ServerPlainState): void {
	const {rows, online} = engine.snapshot().peers;
	print(`${count(online, 'peer')} online`);
	for (const row of rows) {
		print(
			`${row.number}. ${displayText(row.name)}, ${shortId(row.id)}, ${row.host}:${row.port}, ${count(row.files, 'file')}${row.online ? '' : ', offline'}`,
		);
	}
}

async function kick({engine, print}: ServerPlainState, asked: string): Promise<void> {
	if (asked === '') throw new P2pError('usage', 'Kick whom? A name, a number or an ID that peers lists');
	const {rows} = engine.snapshot().peers;
	const exact = rows.filter(({name, number}) => name === asked || String(number) === asked);
	const found = exact.length > 0 ? exact : rows.filter(({id}) => id.startsWith(asked.toLowerCase()));
	if (found.length > 1) throw new P2pError('ambiguous', `Several peers are called ${asked}: give a number or an ID`);
	if (!found[0]) throw new P2pError('not-found', `There is no peer ${asked}: peers lists them`);
	await engine.commands.kick({peer: found[0].id});
	print(`${displayText(found[0].name)} is no longer registered`);
}

function requests({engine, print}: ServerPlainState, argument: string): void {
	if (!/^\d{0,3}$/.test(argument)) throw new P2pError('usage', 'How many? For example: requests 50');
	const rows = engine.snapshot().log.slice(-(Number(argument) || 20));
	if (rows.length === 0) print('Nobody has asked anything yet');
	for (const {time, verb, peer, argument: about, ok, result, ms} of rows) {
		const who = /^[0-9a-f]{64}$/.test(peer) ? shortId(peer) : peer;
		print(
			`${new Date(time).toTimeString().slice(0, 8)} ${verb} by ${displayText(who)}${about === '' ? '' : `, ${displayText(about)}`}: ${ok ? '' : 'failed, '}${displayText(result)}, ${ms.toFixed(1)} ms`,
		);
	}
}

/** Every command of a server, in the order of the help. */
export const serverCommands: readonly PlainCommand<ServerPlainState>[] = [
	{name: 'status', usage: '', help: 'address, peers, files and how fast it answers', run: status},
	{name: 'peers', usage: '', help: 'who is registered', run: peers},
	{name: 'requests', usage: '[NUMBER]', help: 'what was asked last', run: requests},
	{name: 'kick', usage: 'PEER', help: 'end a registration; the peer may come again', run: kick},
	{
		name: 'export',
		usage: '',
		help: 'write the list of peers to files',
		async run({engine, print}) {
			const {json, csv, peers: written} = await engine.commands.export();
			print(`${count(written, 'peer')} written to ${json} and ${csv}`);
		},
	},
];
