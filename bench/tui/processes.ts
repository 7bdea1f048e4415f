// Programs to measure: bundled as a user runs them, their CPU time read from the kernel.
import {type ChildProcess, spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** The built program. */
export const programFile = path.join(root, 'dist', 'p2p-tui.js');

/** Bundles a program of the bench the way the real one is bundled. */
export async function bundle(file: string, folder: string): Promise<string> {
	await build({
		entryPoints: [path.join(root, file)],
		outdir: folder,
		outExtension: {'.js': '.mjs'},
		bundle: true,
		// What is imported on demand stays apart: Ink's developer tools are not there.
		splitting: true,
		platform: 'node',
		format: 'esm',
		jsx: 'automatic',
		minifySyntax: true,
		minifyWhitespace: true,
		external: ['react-devtools-core'],
		define: {'process.env.NODE_ENV': '"production"'},
		banner: {
			js: "import {createRequire as __r} from 'node:module';const require=__r(import.meta.url);",
		},
		logLevel: 'warning',
	});
	return path.join(folder, `${path.basename(file, '.ts')}.mjs`);
}

/** Runs a program to its end; what it wrote to standard error. */
export async function outputOf(file: string, args: (string | number)[]): Promise<string> {
	const child = spawn(process.execPath, [file, ...args.map(String)], {
		stdio: ['ignore', 'ignore', 'pipe'],
		env: {...process.env, NODE_ENV: 'production', TERM: 'xterm-256color', LANG: 'C.UTF-8'},
	});
	let text = '';
	child.stderr.on('data', chunk => {
		text += String(chunk);
	});
	await new Promise(resolve => child.once('close', resolve));
	return text;
}

/** CPU milliseconds of the thread that draws, or of the whole process. Linux only. */
export function cpuMs(pid: number, what: 'screen' | 'process'): number {
	const tasks = what === 'screen' ? [String(pid)] : readdirSync(`/proc/${pid}/task`);
	// The scheduler counts nanoseconds; the clock ticks of proc(5) are too coarse for a program at rest.
	return tasks.reduce((sum, task) => {
		const [ran] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
		return sum + Number(ran) / 1e6;
	}, 0);
}

/** A server or peer without a screen; resolves when it printed the event. */
export async function startHeadless(args: string[], event: RegExp, stops: (() => void)[]): Promise<string> {
	const child: ChildProcess = spawn(process.execPath, [programFile, ...args, '--headless', '--json'], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	stops.push(() => child.kill('SIGKILL'));
	let text = '';
	return new Promise((resolve, reject) => {
		child.once('exit', code => reject(new Error(`${args.join(' ')} ended with ${code}\n${text}`)));
		child.stdout?.on('data', chunk => {
			text += String(chunk);
			const found = event.exec(text);
			if (found) resolve(found[1] ?? '');
		});
	});
}
