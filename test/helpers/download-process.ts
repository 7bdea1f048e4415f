// A download in a process of its own, to be killed or to have its disk taken away.
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {onTestFinished} from 'vitest';
import type {DownloadRequest, DownloadResult, FolderRequest} from '../../source/download/types.ts';

const childFile = fileURLToPath(new URL('./download-child.ts', import.meta.url));

/** What {@link downloadProcess} does. */
export type ChildSettings = {
	database: string;
	folder: string;
	request: DownloadRequest | FolderRequest;
	/** Bytes per second. */
	limit?: number;
};

/** A line that it prints: an event; the last one is `finished` or `failed`. */
export type ChildLine = Partial<DownloadResult> & {event: string; done?: number; code?: string; message?: string};

/** A downloading process, with the lines that it printed so far. @param wrap a command that runs it */
export function downloadProcess(settings: ChildSettings, wrap: string[] = []) {
	const [command, ...args] = [...wrap, process.execPath, childFile, JSON.stringify(settings)];
	const child: ChildProcess = spawn(command!, args, {stdio: ['ignore', 'pipe', 'inherit']});
	onTestFinished(() => void child.kill('SIGKILL'));
	const lines: ChildLine[] = [];
	createInterface({input: child.stdout!}).on('line', line => lines.push(JSON.parse(line) as ChildLine));
	return {child, lines, exited: once(child, 'exit')};
}

/**
 * Wraps a command so that it sees a small disk in memory at `folder`. Needs neither root nor a spare disk, where the
 * system lets users have namespaces.
 *
 * @param options of the mount, such as `size=3m` or `ro`
 */
export function onDisk(options: string, folder: string): string[] {
	return [
		...['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'],
		`mount -t tmpfs -o ${options} tmpfs ${folder} && exec "$@"`,
		'sh',
	];
}

/** Why {@link onDisk} does not work here; undefined when it does. */
export const noDisks: string | undefined = (() => {
	try {
		const [command, ...args] = onDisk('size=1m', '/mnt');
		execFileSync(command!, [...args, 'true'], {stdio: ['ignore', 'ignore', 'pipe']});
		return undefined;
	} catch (error) {
		const said = String((error as {stderr?: Buffer}).stderr ?? error).trim();
		return `this system lets no user mount a disk in memory: ${said}`;
	}
})();
