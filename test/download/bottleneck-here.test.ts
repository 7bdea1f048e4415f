// What holds a real download up at the receiving end: a downloader in a process of its own, whose disk is made slow from
// outside, by a system call that takes longer. All else is real: the sender, TLS, the writes, the counters.
import {execFileSync} from 'node:child_process';
import {truncate, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import type {Bottleneck} from '../../source/core/events.ts';
import {type ChildLine, downloadProcess} from '../helpers/download-process.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {uploadServer} from '../helpers/upload.ts';

/** A real sender of a file of that many bytes that takes no room on its disk, and where it is to arrive. */
async function oneFile(size: number) {
	const {catalog, identity, port} = await uploadServer();
	const file = path.join(catalog.folder, 'x');
	await writeFile(file, '');
	await truncate(file, size);
	const {content} = await catalog.add('x');
	const root = await tempFolder();
	const folder = path.join(root, 'downloads');
	const source = {peer: identity.id, number: 1, name: 'alice', host: '127.0.0.1', port};
	const request = {content, size, name: 'x', sources: [source]};
	return {settings: {database: path.join(root, 'd.db'), folder, request}, part: path.join(folder, '.p2p-tui', content)};
}

/** The stages that were named, in order, each once. */
function stagesIn(lines: ChildLine[]): string[] {
	const named = lines.flatMap(line => (line as {bottleneck?: Bottleneck}).bottleneck?.stage ?? []);
	return [...new Set(named)];
}

/** Makes each write to one file take longer, as the system does it. */
const slowWrites = (file: string, milliseconds: number) => [
	...['strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-P', file, '-e', 'trace=pwrite64'],
	...['-e', `inject=pwrite64:delay_enter=${milliseconds * 1000}`],
];

const noTracing: string | undefined = (() => {
	try {
		const [command, ...args] = slowWrites('/dev/null', 1);
		execFileSync(command!, [...args, 'true'], {stdio: 'ignore'});
		return undefined;
	} catch {
		return 'strace is missing, or may not be used here';
	}
})();

test('a running download names our disk when that is what is slow', async context => {
	if (noTracing) return context.skip(noTracing);
	const {settings, part} = await oneFile(64 * 1024 * 1024);
	const {lines, exited} = downloadProcess(settings, slowWrites(`${part}.part`, 300));
	await exited;
	expect(lines.at(-1)).toMatchObject({event: 'finished'});
	expect(stagesIn(lines)).toContain('our-disk');
	expect(stagesIn(lines)).not.toContain('our-hashing');
});
