// Names of strangers on the real screen, in a real pseudo terminal: whatever the emulator was sent, none of it is theirs.
import path from 'node:path';
import {afterEach, expect, test} from 'vitest';
import {programFile} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {keys, type PtyScreen, startPty} from '../helpers/tui-pty.ts';
import {hostilePeer} from './hostile-peer.ts';
import {hostileServer, json} from './hostile-server.ts';

let screen: PtyScreen | undefined;
afterEach(() => screen?.dispose());

/** Each would show in what the terminal gets: `OWNED` right after what it would be obeyed for. */
const names = [
	'\u001b]0;OWNED\u0007.txt',
	'\u001b[2JOWNED.txt',
	'\u009b31mOWNED.txt',
	'\u0007OWNED\b\b\b.txt',
	'OWNED\u202etxt.exe',
	'\u2066OWNED\u2069\u200b.txt',
	'\u001bPqOWNED\u001b\\.txt',
	'\rOWNED\nOWNED.txt',
];
const theirs =
	/[\u0080-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]|\u001b\](?:\d*;)?OWNED|\u001b\[2JOWNED|\u0007OWNED|\u001bPq|\rOWNED|\nOWNED/;

test('search, peers, browsing and messages of a hostile server leave the terminal alone', async () => {
	const mallory = await hostilePeer();
	const info = {...mallory.info(), name: names[0], addresses: undefined};
	const hits = names.map((name, n) => ({
		...{content: mallory.have(Buffer.from(`${n}`)), name, size: 1, sourceCount: 1},
		sources: [{...mallory.source(`share/${name}`), name: names[n]}],
	}));
	const server = await hostileServer({
		search: (response, query) =>
			query.get('q')?.includes('bad')
				? json(response, {code: 'bad-query', message: names.join(' '), hint: names[1]}, 400)
				: json(response, {hits, total: hits.length, more: false}),
		peers: response => json(response, {peers: [info], total: 1, online: 1}),
		peer: response => json(response, info),
		browse: response =>
			json(response, {entries: hits.map(({content, name}) => ({type: 'file', path: name, size: 1, content}))}),
		sources: (response, _query, request) =>
			json(response, hits.find(({content}) => request.url?.endsWith(content)) ?? hits[0]),
	});
	const cwd = await tempFolder();
	const args = ['--mode', 'peer', '--host', '0', '--port', '0', '--server', server.address];
	const s = startPty(process.execPath, [programFile, ...args, '--data-dir', path.join(cwd, 'me')], {
		...{columns: 120, rows: 36, cwd},
	});
	screen = s;
	await s.waitFor('1 Search');
	await s.waitFor(`● ${server.address}`);
	s.send('/');
	for (const key of 'own') s.send(key);
	await s.waitFor(/8 hits/);
	await s.waitFor('OWNED');
	s.send(keys.enter);
	await s.waitFor('held by');
	s.send('d');
	await s.waitFor(/Getting|downloaded_/);
	s.send('/');
	for (const key of ' bad') s.send(key);
	await s.waitFor('Enter tries again');
	s.send(keys.escape);
	s.send('3');
	await s.waitFor('OWNED');
	s.send('q');
	s.send('y');
	s.send(keys.ctrlC);
	await s.exited;
	expect(s.raw()).toContain('OWNED');
	expect(s.raw().match(theirs)?.[0]).toBeUndefined();
});
