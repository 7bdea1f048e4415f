// Makes the README's pictures from the running program: a real server, real peers and files, a real terminal.
// npm run pictures
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {formatAddress} from '../../source/core/address.ts';
import {EngineBus} from '../../source/core/events.ts';
import {createIndexServer} from '../../source/engine/create-index-server.ts';
import {createPeer} from '../../source/engine/create-peer.ts';
import {keys, type PtyScreen, startPty} from '../../test/helpers/tui-pty.ts';
import {terminalSvg} from './terminal-svg.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const program = path.join(here, '../../dist/p2p-tui.js');
const root = mkdtempSync(path.join(tmpdir(), 'p2p-tui-pictures-'));
const megabyte = 1024 * 1024;

/** Made-up files with real bytes: sizes in MB. */
const libraries: Record<string, Record<string, number>> = {
	ada: {
		'lectures/01 sockets.mp4': 24,
		'lectures/02 hash tables.mp4': 31,
		'lectures/03 merkle trees.mp4': 28,
		'lectures/slides 01-03.pdf': 3,
		'datasets/ngrams.tar.zst': 60,
	},
	grace: {
		'lectures/02 hash tables.mp4': 31,
		'lectures/03 merkle trees.mp4': 28,
		'iso/debian-13.1.0-amd64-netinst.iso': 70,
		'photos/été 2026.zip': 12,
	},
	edsger: {
		'lectures/03 merkle trees.mp4': 28,
		'lectures/04 kademlia.mp4': 22,
		'notes/会议记录.txt': 1,
		'notes/goto considered.md': 1,
	},
	barbara: {'lectures/03 merkle trees.mp4': 28, 'lectures/exercises 03.pdf': 2, 'music/sketches.flac': 18},
};

/** The same name has the same bytes, whoever holds it. */
function writeFileOf(name: string, megabytes: number, folder: string): void {
	const file = path.join(folder, name);
	mkdirSync(path.dirname(file), {recursive: true});
	const seed = [...path.basename(name)].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)!) >>> 0, 7);
	const block = Buffer.alloc(megabyte);
	for (let i = 0; i < megabyte; i += 4) block.writeUInt32LE((seed + i * 2_654_435_761) >>> 0, i);
	writeFileSync(file, Buffer.concat(Array.from({length: megabytes}, () => block)));
}

async function startPeerOf(name: string, server: string, index: number) {
	const folder = path.join(root, name);
	const shares = [...new Set(Object.keys(libraries[name]!).map(file => path.join(folder, file.split('/')[0]!)))];
	for (const [file, size] of Object.entries(libraries[name]!)) writeFileOf(file, size, folder);
	const bus = new EngineBus();
	const scanned = new Promise<number>(resolve => bus.on('scan', event => event.done && resolve(event.files)));
	const registered = new Promise<void>(resolve =>
		bus.on('registered', async event => event.files >= (await scanned) && resolve()),
	);
	const options = {
		dataDir: path.join(root, `data-${name}`),
		host: '127.0.0.1',
		port: 0,
		name,
		servers: [server],
		shares,
		downloads: path.join(folder, 'downloads'),
		prefix: 'downloaded_',
	};
	const peer = await createPeer(options, bus);
	await registered;
	// Slow enough that a picture finds the transfer under way.
	await peer.handle.commands.setLimits({up: (index + 1) * 0.5 * megabyte});
	return peer;
}

function save(screen: PtyScreen, name: string, theme: 'dark' | 'light' = 'dark'): void {
	writeFileSync(path.join(here, `${name}.svg`), terminalSvg(screen.terminal, theme));
	process.stdout.write(`docs/pictures/${name}.svg\n`);
}

const server = await createIndexServer({
	dataDir: path.join(root, 'server'),
	host: '127.0.0.1',
	port: 0,
	name: 'classroom',
});
const address = formatAddress({host: '127.0.0.1', port: server.handle.snapshot().port});
const peers = [];
for (const [i, name] of Object.keys(libraries).entries()) peers.push(await startPeerOf(name, address, i));
const screen = startPty(
	process.execPath,
	[
		program,
		'--mode',
		'peer',
		'--server',
		address,
		'--host',
		'0',
		'--port',
		'0',
		'--name',
		'you',
		'--data-dir',
		path.join(root, 'data-you'),
		'--share',
		path.join(here, '..'),
		'--downloads',
		path.join(root, 'downloads'),
	],
	// The pictures show folders below a home, not this run's.
	{columns: 120, rows: 36, env: {HOME: root}},
);
try {
	await screen.waitFor('1 Search');
	await screen.waitFor('barbara');
	screen.send('/');
	for (const letter of 'lectures') screen.send(letter);
	await screen.waitFor(/merkle trees/);
	screen.send(keys.enter);
	await screen.waitFor('held by');
	screen.send(keys.enter);
	await screen.waitFor('Get file');
	save(screen, 'get');
	screen.send(keys.enter);
	await screen.waitFor(/↓ 03 merkle trees/);
	for (const key of [keys.down, 'd', keys.down, 'd', keys.down, 'd', keys.up, keys.up, keys.up]) screen.send(key);
	await screen.waitFor(/↓ 01 sockets/);
	await screen.waitFor(/03 merkle trees\.mp4 .* [3-6]\d%/, 60_000);
	await screen.waitFor('? help');
	save(screen, 'peer');
	screen.send('2');
	screen.send(keys.enter);
	await screen.waitFor('━ Transfer ━');
	await screen.waitFor(/(6[5-9]|[789]\d)%/, 60_000);
	save(screen, 'transfer');
} finally {
	screen.dispose();
	await Promise.all(peers.map(peer => peer.handle.stop()));
	await server.handle.stop();
	rmSync(root, {recursive: true, force: true});
}
process.exit();
