import {PassThrough} from 'node:stream';
import {expect, test} from 'vitest';
import {plainCommands} from '../../source/headless/plain/commands.ts';
import {findCommand, plainHelp, runPlainPeer, runPlainServer} from '../../source/headless/plain/plain-session.ts';
import {PlainTerminal} from '../../source/headless/plain/plain-terminal.ts';
import {fixturePeer, fixtureServer} from '../helpers/tui-fixture-engine.ts';

/** A session to which lines are typed; each waits for what the one before printed. */
async function session() {
	const [input, output] = [new PassThrough(), new PassThrough()];
	const engine = fixturePeer();
	const abort = new AbortController();
	let printed = '';
	output.on('data', chunk => {
		printed += String(chunk);
	});
	const saved: unknown[] = [];
	const over = runPlainPeer(engine, new PlainTerminal(input, output), abort.signal, async changes => {
		saved.push(changes);
	});
	return {
		engine,
		input,
		abort,
		over,
		saved,
		text: () => printed,
		/** What the line made it print. */
		async type(line: string): Promise<string> {
			const from = printed.length;
			input.write(`${line}\n`);
			await expect.poll(() => printed.slice(from)).toMatch(/> $/);
			return printed.slice(from);
		},
	};
}

test('searches, downloads from chosen peers, pauses, and lists', async () => {
	const s = await session();
	const found = await s.type('search ubuntu');
	expect(found).toContain('1,234 files in 3.4 ms');
	expect(found).toMatch(/1\. ubuntu-24\.04\.2-desktop-amd64\.iso, 6\.2 GB, held by alice/);
	const [, hit] = (await s.engine.commands.search({query: 'ubuntu'})).hits;
	expect(await s.type('get 1')).toContain('ubuntu-24.04.2-desktop-amd64.iso is already there or on its way');
	expect(await s.type('get 2 from alice')).toContain('Getting ubuntu-24.04.2-live-server-amd64.iso');
	expect(s.engine.calls.findLast(([name]) => name === 'get')?.[1]).toMatchObject({from: [hit?.sources[0]?.peer]});
	expect(await s.type('transfers')).toContain('2. ubuntu-24.04.2-desktop-amd64.iso, download, running, 66% of 6.2 GB');
	expect(await s.type('pause debian')).toContain('debian-12.9.0-amd64-DVD-1.iso: paused');
	expect(s.engine.calls.at(-1)).toEqual(['pause', {key: 'debian-12.9.0-amd64-DVD-1.iso'}]);
	expect(await s.type('peers')).toMatch(/34 peers online\n1\. alice, [0-9a-f]{8}, 10\.0\.0\.20:25000/);
	expect(await s.type('ls alice')).toContain('iso/, 214 files');
	expect(await s.type('status')).toContain('server 10.0.0.5:45000: online');
	s.input.write('quit\n');
	await s.over;
	expect(s.text()).toContain('Stopping');
});

test('a mistake is told and ends nothing', async () => {
	const s = await session();
	expect(await s.type('frobnicate')).toContain('There is no command frobnicate');
	expect(await s.type('search boom')).toContain('Error: The index server does not answer');
	expect(await s.type('pause 99')).toContain('Error: There is no transfer 99');
	expect(await s.type('get 1 from nobody')).toMatch(/Error: /);
	expect(await s.type('share /missing')).toContain('Error: No such folder: /missing');
	expect(await s.type('search')).toContain('Error: Search for what?');
	expect(await s.type('')).toBe('> ');
	s.input.end();
	await s.over;
});

test('everything else that the screens can do', async () => {
	const s = await session();
	const last = () => s.engine.calls.at(-1);
	const sources = () => (last()?.[1] as {from?: string[]} | undefined)?.from;
	await s.type('search ubuntu');
	expect(await s.type('more')).toMatch(/21\. .*held by/);
	expect(await s.type('get 22 from alice, bob')).toContain('Getting');
	const from = sources();
	expect(from).toHaveLength(2);
	expect(await s.type('get 23 from 1 and 2')).toContain('Getting');
	expect(sources()).toEqual(from);
	expect(await s.type('get 23 from alice, nobody')).toContain('Error: nobody does not hold');
	expect(await s.type('browse alice iso')).toMatch(/iso\//);
	expect(await s.type('fetch alice iso/old/')).toContain('Getting iso/old');
	expect(last()).toEqual(['getFolder', {peer: 'alice', path: 'iso/old'}]);
	expect(await s.type('fetch alice')).toContain('Error: Fetch what?');
	expect(await s.type('transfers')).toContain('1. ');
	const {rows} = s.engine.snapshot().transfers;
	const at = rows.findIndex(row => row.direction === 'down' && row.state === 'running') + 1;
	expect(await s.type(`details ${at}`)).toMatch(/from alice, [0-9a-f]{8}/);
	expect(await s.type(`move ${at} down`)).toContain('moved down');
	expect(last()).toEqual(['move', {key: rows[at - 1]?.key, by: 1}]);
	expect(await s.type('move 1')).toContain('Error: Move which download');
	// The list moved; a number still means what was printed under it, and what left is not another one.
	expect(await s.type(`cancel ${at}`)).toContain('cancelled');
	expect(last()).toEqual(['cancel', {key: rows[at - 1]?.key}]);
	expect(await s.type(`pause ${at}`)).toContain('has left the list');
	expect((await s.type('log 3')).trim().split('\n')).toHaveLength(4);
	expect(await s.type('log many')).toContain('Error: How many lines?');
	expect(await s.type('rescan iso')).toContain('Looking through iso again');
	expect(await s.type('unshare iso')).toContain('iso is no longer shared');
	expect(await s.type('set')).toContain('limit-down: All downloads together');
	expect(await s.type('set limit-down 5MB')).toContain('limit-down is 5MB now');
	expect(last()).toEqual(['setLimits', {down: 5_000_000}]);
	expect(s.saved).toEqual([{limitDown: 5_000_000}]);
	expect(await s.type('set slots 0')).toContain('Error: Upload slots: 1 to 500');
	expect(await s.type('set name attic box')).toContain('name is attic box from the next start');
	expect(s.saved.at(-1)).toEqual({name: 'attic box'});
	expect(await s.type('set name')).toContain('For example: set name laptop');
	expect(await s.type('set colour blue')).toContain('Error: There is no setting colour');
	s.input.end();
	await s.over;
});

test('what happens meanwhile stands on lines of its own, and the prompt comes again after it', async () => {
	const output = new PassThrough();
	const terminal = new PlainTerminal(new PassThrough(), output);
	const abort = new AbortController();
	const lines = terminal.ask(abort.signal, () => {});
	terminal.tell('before');
	const first = lines.next();
	terminal.tell('meanwhile');
	terminal.tell('and more');
	abort.abort();
	expect((await first).done).toBe(true);
	terminal.tell('after');
	expect(String(output.read())).toBe('before\n> \nmeanwhile\n> \nand more\n> after\n');
});

test('an interrupt stops it in order', async () => {
	const s = await session();
	s.abort.abort();
	await s.over;
	await s.engine.ended;
});

test('the help has every command, and a start of a name is enough', () => {
	for (const {name} of plainCommands) expect(plainHelp().some(line => line.startsWith(name))).toBe(true);
	expect(findCommand('tr', plainCommands)?.name).toBe('transfers');
	expect(findCommand('share', plainCommands)?.name).toBe('share');
	expect(findCommand('s', plainCommands)).toBeUndefined();
});

test('says and changes whom a share is for', async () => {
	const s = await session();
	const [alice, bob] = s.engine.snapshot().peers.rows.map(({id}) => id);
	expect(await s.type('audience flac')).toContain('flac is for everybody');
	expect(await s.type('audience flac for alice, bob')).toContain('flac is for alice, bob alone now');
	expect(s.engine.calls.at(-1)).toEqual(['setAudience', {name: 'flac', peers: [alice, bob]}]);
	expect(await s.type('shares')).toMatch(/flac, .*for alice, bob alone/);
	expect(await s.type('audience flac for nobody')).toContain('flac is for nobody now');
	expect(await s.type('audience flac for everybody')).toContain('flac is for everybody now');
	expect(s.engine.calls.at(-1)).toEqual(['setAudience', {name: 'flac', peers: null}]);
	expect(await s.type('audience flac for mallory')).toContain('Error: There is no peer mallory');
	expect(await s.type('audience jazz for alice')).toContain('Error: There is no share jazz');
	s.input.end();
	await s.over;
});

test('a server tells who is there and what is asked, kicks, and exports', async () => {
	const [input, output] = [new PassThrough(), new PassThrough()];
	const engine = fixtureServer();
	let printed = '';
	output.on('data', chunk => {
		printed += String(chunk);
	});
	const over = runPlainServer(engine, new PlainTerminal(input, output), new AbortController().signal);
	const type = async (line: string) => {
		const from = printed.length;
		input.write(`${line}\n`);
		await expect.poll(() => printed.slice(from)).toMatch(/> $/);
		return printed.slice(from);
	};
	await expect.poll(() => printed).toContain('Ready');
	const {counts, peers} = engine.snapshot();
	expect(await type('status')).toContain(`${counts.online} peers online of ${counts.peers}`);
	expect(await type('peers')).toMatch(/1\. alice, [0-9a-f]{8}, 10\.0\.0\.20:25000/);
	expect((await type('requests 3')).trim().split('\n')).toHaveLength(4);
	expect(await type('kick bob')).toContain('bob is no longer registered');
	expect(engine.snapshot().peers.rows.map(({id}) => id)).not.toContain(peers.rows[1]?.id);
	expect(await type('kick mallory')).toContain('Error: There is no peer mallory');
	expect(await type('export')).toMatch(/peers? written to .*json/);
	expect(await type('get 1')).toContain('There is no command get');
	expect(await type('help')).toContain('kick PEER: end a registration');
	input.write('quit\n');
	await over;
	expect(printed).toContain('Stopping');
});
