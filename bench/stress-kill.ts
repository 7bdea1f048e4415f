// `npm run stress -- [--rounds 100] [--size 1024] [--folder]`: a real `p2p-tui get` is killed (SIGKILL) at random
// instants, again and again, while it fetches from a real peer; the last run goes through. What arrives must be right,
// and hardly more may be sent than it has bytes: at each kill only what was on its way is lost. Needs the build in dist/.
import {type ChildProcess, spawn} from 'node:child_process';
import {createHash, randomBytes} from 'node:crypto';
import {createReadStream, existsSync} from 'node:fs';
import {cp, mkdir, mkdtemp, open, readdir, rm, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const {values} = parseArgs({
	options: {
		rounds: {type: 'string', default: '100'},
		size: {type: 'string', default: '1024'},
		folder: {type: 'boolean', default: false},
	},
});
const kills = wholeNumber('rounds', values.rounds);
const size = wholeNumber('size', values.size) * 2 ** 20;
/** On its way at a kill: what the connections hold, and a piece of each that is not complete. */
const lostAtMost = 32 * 2 ** 20;
/** Of a folder, half of the bytes are in small files. */
const smallBytes = 50_000;
const built = fileURLToPath(new URL('../dist', import.meta.url));

type Line = {
	event?: string;
	port?: number;
	bytes?: number;
	files?: number;
	path?: string;
	code?: string;
	message?: string;
};

function wholeNumber(name: string, text: string): number {
	if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
	throw new Error(`--${name} takes a whole number from 1, not ${text}`);
}

/** Its output as lines, and the last of what it wrote to stderr. */
function run(args: string[], onLine: (line: Line) => void): ChildProcess & {said?: string} {
	const child: ChildProcess & {said?: string} = spawn(process.execPath, [program, ...args, '--json'], {
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	createInterface({input: child.stdout!}).on('line', text => {
		// A killed process may leave half a line.
		if (text.endsWith('}')) onLine(JSON.parse(text) as Line);
	});
	child.stderr!.setEncoding('utf8').on('data', (text: string) => {
		child.said = ((child.said ?? '') + text).slice(-4000);
	});
	children.push(child);
	return child;
}

async function hashOf(file: string): Promise<string> {
	const hash = createHash('sha256');
	for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
	return hash.digest('hex');
}

/** Every file below a folder (or the file itself) with its hash, sorted. */
async function hashesBelow(top: string): Promise<string> {
	const names = values.folder ? await readdir(top, {recursive: true, withFileTypes: true}) : [];
	const files = names.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name));
	const lines: string[] = [];
	for (const file of values.folder ? files : [top]) lines.push(`${await hashOf(file)} ${path.relative(top, file)}`);
	return lines.sort().join('\n');
}

async function writeRandom(file: string, bytes: number): Promise<void> {
	const handle = await open(file, 'w');
	for (let at = 0; at < bytes; at += 2 ** 20) await handle.write(randomBytes(Math.min(2 ** 20, bytes - at)));
	await handle.close();
}

/** @returns how many files */
async function writeShared(original: string): Promise<number> {
	if (!values.folder) {
		await writeRandom(original, size);
		return 1;
	}
	const small = Math.floor(size / 2 / smallBytes);
	for (let i = 0; i < small; i++) {
		const folder = path.join(original, `${i % 20}`);
		await mkdir(folder, {recursive: true});
		await writeRandom(path.join(folder, `${i}.bin`), smallBytes);
	}
	for (let i = 0; i < 4; i++) await writeRandom(path.join(original, `large-${i}.bin`), Math.floor(size / 8));
	return small + 4;
}

if (!existsSync(built)) throw new Error('Build first: npm run build');
const root = await mkdtemp(path.join(tmpdir(), 'p2p-tui-stress-'));
// A copy, so that a build meanwhile does not count as a failure.
const program = path.join(root, 'dist', 'p2p-tui.js');
await cp(built, path.dirname(program), {recursive: true});
await cp(path.join(built, '..', 'package.json'), path.join(root, 'package.json'));
await symlink(path.join(built, '..', 'node_modules'), path.join(root, 'node_modules'));
const children: ChildProcess[] = [];
try {
	const share = path.join(root, 'share');
	const original = path.join(share, values.folder ? 'tree' : 'big.bin');
	await mkdir(share);
	const files = await writeShared(original);

	const listening = Promise.withResolvers<number>();
	run(['--mode', 'server', '--host', '0', '--port', '0', '--data-dir', path.join(root, 'server')], line => {
		if (line.event === 'listening') listening.resolve(line.port!);
	});
	const server = `127.0.0.1:${await listening.promise}`;
	let sent = 0;
	const shared = Promise.withResolvers<void>();
	const where = ['--host', '0', '--port', '0', '--server', server, '--share', share, '--name', 'holder'];
	run(['--mode', 'peer', ...where, '--data-dir', path.join(root, 'peer'), '--downloads', root], line => {
		if (line.event === 'registered' && line.files === files) shared.resolve();
		if (line.event === 'upload-finished' || line.event === 'upload-failed') sent += line.bytes ?? 0;
	});
	await shared.promise;

	const wanted = values.folder ? ['share/tree', '--from', 'holder'] : ['big.bin'];
	const me = ['--server', server, '--data-dir', path.join(root, 'get'), '--downloads', root];
	let killed = 0;
	for (;;) {
		const started = Promise.withResolvers<void>();
		let finished: string | undefined;
		let failed: string | undefined;
		// Slow enough that all the kills find it at work.
		const limit = ['--limit-down', String(Math.ceil(size / (kills * 0.5)))];
		const child = run(['get', ...wanted, ...me, ...(killed < kills ? limit : [])], line => {
			if (line.event === 'download-started') started.resolve();
			if (line.event === 'download-finished') finished = line.path;
			if (line.event === 'error') failed = `${line.code}: ${line.message}`;
		});
		const exit = new Promise<void>(resolve => child.once('close', () => resolve()));
		if (killed < kills) {
			await Promise.race([started.promise, exit]);
			await new Promise(resolve => setTimeout(resolve, Math.random() * 700));
			child.kill('SIGKILL');
		}
		await exit;
		if (failed !== undefined) throw new Error(`failed with ${failed} after ${killed} kills\n${child.said ?? ''}`);
		if (finished !== undefined) {
			if ((await hashesBelow(finished)) !== (await hashesBelow(original))) throw new Error('WHAT ARRIVED IS WRONG');
			break;
		}
		if (killed >= kills) throw new Error(`ended without a word after ${killed} kills\n${child.said ?? ''}`);
		killed++;
	}
	// The last answers are told when their connections end.
	await new Promise(resolve => setTimeout(resolve, 3000));
	const more = sent - size;
	const perKill = more / Math.max(1, killed);
	process.stdout.write(
		`right after ${killed} kills; sent ${(more / 2 ** 20).toFixed(1)} MiB more than there is to send`,
	);
	process.stdout.write(`, ${(perKill / 2 ** 20).toFixed(2)} MiB a kill\n`);
	if (perKill > lostAtMost) throw new Error(`more than ${lostAtMost / 2 ** 20} MiB a kill`);
} finally {
	for (const child of children) child.kill('SIGKILL');
	await rm(root, {recursive: true, force: true});
}
