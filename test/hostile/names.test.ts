// Names that strangers choose: nothing of them gets out of the downloads folder, and nothing raw onto a terminal.
import {mkdir, readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {P2pError} from '../../source/core/errors.ts';
import {EngineBus, type EngineEvents} from '../../source/core/events.ts';
import {sharePathProblem} from '../../source/core/share-path.ts';
import {createPeer} from '../../source/engine/create-peer.ts';
import {type PrintedEvent, runProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';
import {allEvilNames, rawEscapes} from './evil-names.ts';
import {hostilePeer} from './hostile-peer.ts';
import {hostileServer, json} from './hostile-server.ts';

/** A peer engine with a downloads folder in a folder of its own, in which nothing else may appear. */
async function victim(server: string) {
	const root = await tempFolder();
	const downloads = path.join(root, 'deep', 'down', 'loads');
	await mkdir(downloads, {recursive: true});
	const bus = new EngineBus();
	const events: PrintedEvent[] = [];
	for (const event of ['download-finished', 'download-failed', 'log', 'error'] as const)
		bus.on(event, payload => events.push({event, ...payload} as unknown as PrintedEvent));
	const options = {dataDir: path.join(root, 'data'), host: '127.0.0.1', port: 0, name: 'victim', servers: [server]};
	const peer = await createPeer({...options, shares: [], downloads, prefix: 'got_', announce: false}, bus);
	onTestFinished(() => peer.handle.stop());
	const everything = async () =>
		(await readdir(root, {recursive: true, withFileTypes: true}))
			.map(entry => path.relative(root, path.join(entry.parentPath, entry.name)))
			.filter(name => !name.startsWith('data'));
	return {root, downloads, events, everything, ...peer};
}

const reserved = /^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\.|$)/i;

function expectSafe(name: string): void {
	expect(name).not.toMatch(rawEscapes);
	expect(name).not.toMatch(/[<>:"/\\|?*\n]|[. ]$/);
	expect(name).not.toMatch(reserved);
	expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
	expect(name).toBe(name.normalize('NFC'));
}

test('downloads by any name land in the downloads folder, each under a name that is safe everywhere', async () => {
	const mallory = await hostilePeer();
	const server = await hostileServer();
	const contents = new Map<string, string>();
	for (const [n, name] of allEvilNames.entries()) contents.set(mallory.have(Buffer.from(`bytes of ${n}`)), name);
	server.script.sources = (response, _query, request) => {
		const content = request.url!.split('/').at(-1)!;
		const name = contents.get(content)!.toWellFormed();
		json(response, {content, name, size: 20, sources: [mallory.source('share/x')], sourceCount: 1});
	};
	const {handle, events, everything, downloads} = await victim(server.address);
	for (const [content, name] of contents) {
		const size = `bytes of ${[...contents.keys()].indexOf(content)}`.length;
		await handle.commands.get({content, name, size});
	}
	await waitFor(
		'all downloads to end',
		() => events.filter(({event}) => event.startsWith('download-')).length >= contents.size,
	);
	const finished = events.filter(
		({event}) => event === 'download-finished',
	) as unknown as EngineEvents['download-finished'][];
	expect(events.filter(({event}) => event === 'download-failed' || event === 'error')).toEqual([]);
	expect(finished).toHaveLength(contents.size);
	for (const {path: file} of finished) expect(path.dirname(file)).toBe(downloads);
	const names = await readdir(downloads);
	expect(names.filter(name => name !== '.p2p-tui')).toHaveLength(contents.size);
	for (const name of names) if (name !== '.p2p-tui') expectSafe(name);
	const outside = (await everything()).filter(name => !name.startsWith('deep/down/loads'));
	expect(outside.sort()).toEqual(['deep', 'deep/down']);
});

test('a folder that is listed with such names arrives whole and inside, or is refused whole', async () => {
	const mallory = await hostilePeer();
	const server = await hostileServer({peer: response => json(response, mallory.info())});
	const {root, handle, events, everything} = await victim(server.address);
	const fine = allEvilNames.filter(name => !sharePathProblem(`share/${name}`));
	const entry = (name: string, n: number) => {
		const bytes = Buffer.from(`file ${n}`);
		return {type: 'file', path: `share/${name}`, size: bytes.length, content: mallory.have(bytes)};
	};
	const entries = [
		...fine.map(entry),
		...fine.filter(name => !name.includes('/')).map((name, n) => entry(`${name}/x`, 1000 + n)),
	];
	// Names that are a file and a folder at once cannot be.
	server.script.browse = (response, query) => json(response, {entries: query.get('path') === 'share' ? entries : []});
	await handle.commands.getFolder({peer: '7', path: 'share'});
	const end = await waitFor('its end', () => events.find(({event}) => /^download-(finished|failed)$/.test(event)));
	expect(end).toMatchObject({event: 'download-finished'});
	const all = await everything();
	const top = 'deep/down/loads/got_share';
	expect(all.filter(name => !name.startsWith(top)).sort()).toEqual(['deep', 'deep/down', 'deep/down/loads']);
	const below = all.filter(name => name.startsWith(`${top}/`)).map(name => name.slice(top.length + 1));
	for (const name of below) for (const part of name.split('/')) expectSafe(part);
	const lower = below.map(name => name.normalize('NFC').toLowerCase());
	expect(new Set(lower).size).toBe(lower.length);
	const placed = await readdir(path.join(root, top), {recursive: true, withFileTypes: true});
	expect(placed.filter(one => one.isFile())).toHaveLength(entries.length);

	for (const name of allEvilNames.filter(one => sharePathProblem(`share/${one}`))) {
		server.script.browse = response => json(response, {entries: [entry(name, 1)]});
		const refused = {code: expect.stringMatching(/^bad-(name|request)$/)};
		const wanted = {peer: '7', path: 'share'};
		await expect(handle.commands.getFolder(wanted), JSON.stringify(name)).rejects.toMatchObject(refused);
		// The same in the peer's own list, which is asked for first.
		mallory.script.browse = response => json(response, {entries: [entry(name, 1)]});
		server.script.browse = response => json(response, {entries: []});
		await expect(handle.commands.getFolder(wanted), JSON.stringify(name)).rejects.toBeInstanceOf(P2pError);
		mallory.script.browse = undefined;
	}
});

test('whatever the names, the program prints no escape, as text or as JSON, to either stream', async () => {
	const mallory = await hostilePeer();
	const evil = allEvilNames.map(name => name.toWellFormed()).filter(name => name !== '');
	const shown = {name: '\u001b[31m\u202eevil\u009b2J\u0007', number: 7};
	const hits = evil.slice(0, 100).map((name, n) => ({
		...{content: mallory.have(Buffer.from(`${n}`)), name, size: 1, sourceCount: 1},
		sources: [{...mallory.source(`share/${name}`.slice(0, 4000)), ...shown}],
	}));
	const message = 'no \u001b]0;owned\u0007 \u202e \u009b31m';
	const server = await hostileServer({
		search: response => json(response, {hits, total: hits.length, more: false}),
		peers: response => json(response, {peers: [{...mallory.info(), ...shown}], total: 1, online: 1}),
		peer: response => json(response, {...mallory.info(), ...shown}),
		browse: response =>
			json(response, {
				entries: hits.map(({content, name}) => ({
					type: 'file',
					path: `share/${name}`.slice(0, 4000),
					size: 1,
					content,
				})),
			}),
		sources: response => json(response, {code: 'busy', message, hint: message, details: {x: message}}, 503),
	});
	const home = await tempFolder();
	const run = (...args: string[]) =>
		runProgram([...args, '--server', server.address, '--data-dir', path.join(home, 'data'), '--downloads', home]);
	const content = 'a'.repeat(64);
	for (const args of [['search', 'x'], ['peers'], ['ls', '7'], ['get', 'x'], ['get', content]]) {
		for (const mode of [[], ['--json']]) {
			const {stdout, stderr} = await run(...args, ...mode);
			expect(`${stdout}${stderr}`.length).toBeGreaterThan(20);
			expect(stdout, args.join(' ')).not.toMatch(rawEscapes);
			expect(stderr, args.join(' ')).not.toMatch(rawEscapes);
			// What a program reads is still what was sent.
			if (args[0] === 'peers' && mode.length > 0) expect(JSON.parse(stdout)).toMatchObject({name: shown.name});
		}
	}
});

test('nor does the log file of a peer hold any, nor what a peer and a server print', async () => {
	const mallory = await hostilePeer();
	const name = '\u001b[31m\u202eevil\u009b2J\u0007';
	const joined = JSON.stringify({...mallory.info(), name});
	const server = await hostileServer({
		events: response => {
			response.writeHead(200, {'content-type': 'text/event-stream'});
			response.write(`event: peer-joined\ndata: ${joined}\n\n`);
			setTimeout(() => response.destroy(), 300);
		},
		register: response => json(response, {code: 'refused', message: name}, 403),
	});
	const {root, handle, events} = await victim(server.address);
	await waitFor('the refusal', () =>
		handle.snapshot().servers.some(({state}) => state === 'refused' || state === 'lost'),
	);
	await handle.stop();
	const log = await readFile(path.join(root, 'data', 'p2p-tui.log'), 'utf8');
	expect(log).toContain('evil');
	expect(log).not.toMatch(rawEscapes);
	for (const line of log.trim().split('\n')) JSON.parse(line);
	expect(events.filter(({event}) => event === 'error')).toEqual([]);
});
