// A program in a real pseudo terminal, with a terminal emulator that reads what it draws.
import {rmSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {type IPty, spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';
import {build} from 'esbuild';
import stringWidth from 'string-width';

/** Names of keys as they are pressed, and what a terminal sends for them. */
export const keys = {
	up: '\u001b[A',
	down: '\u001b[B',
	right: '\u001b[C',
	left: '\u001b[D',
	home: '\u001b[H',
	end: '\u001b[F',
	pageUp: '\u001b[5~',
	pageDown: '\u001b[6~',
	enter: '\r',
	tab: '\t',
	shiftTab: '\u001b[Z',
	escape: '\u001b',
	backspace: '\u007f',
	ctrlC: '\u0003',
	ctrlD: '\u0004',
	ctrlL: '\u000c',
	ctrlU: '\u0015',
	ctrlZ: '\u001a',
} as const;

type PtyOptions = {
	columns: number;
	rows: number;
	env?: Record<string, string>;
	cwd?: string;
};

/** What a program draws, and the keys it gets. */
export type PtyScreen = {
	pid: number;
	/** The emulator, for pictures. */
	terminal: InstanceType<typeof xterm.Terminal>;
	/** The visible rows, without spaces at their ends. */
	lines(): string[];
	/** The visible rows as one text. */
	text(): string;
	/** Everything that was written, with its escape codes. */
	raw(): string;
	/** Sends bytes as they are. */
	send(bytes: string): void;
	/** Resolves when the screen shows the text, or the test is true of it. */
	waitFor(wanted: string | RegExp | ((text: string) => boolean), milliseconds?: number): Promise<void>;
	resize(columns: number, rows: number): Promise<void>;
	/** What the terminal has been switched to. */
	modes(): {alternate: boolean; wrap: boolean; bracketedPaste: boolean; mouse: boolean; cursorHidden: boolean};
	/** The row's cells that are shown inverse, as text: the chosen row, the chosen peer. */
	inverse(): string[];
	kill(signal: string): void;
	/** Reads nothing any more, as a terminal that hangs; `resume` goes on. */
	pause(): void;
	resume(): void;
	exited: Promise<{exitCode: number; signal?: number}>;
	/** Ends the program if it still runs. */
	dispose(): void;
};

/** Widths as today's terminals have them; the emulator's own table is of the year 2010. */
const modernWidths = {
	version: 'modern',
	wcwidth: (code: number): 0 | 1 | 2 => Math.min(2, stringWidth(String.fromCodePoint(code))) as 0 | 1 | 2,
	charProperties(code: number, preceding: number): number {
		const width = this.wcwidth(code);
		const joins = width === 0 && preceding !== 0;
		const shown = joins ? (preceding >> 1) & 3 : width;
		return (shown << 1) | (joins ? 1 : 0);
	},
};

/** Starts a program on a terminal of this size. */
export function startPty(file: string, args: string[], {columns, rows, env = {}, cwd}: PtyOptions): PtyScreen {
	const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true, scrollback: 0});
	terminal.unicode.register(modernWidths as never);
	terminal.unicode.activeVersion = 'modern';
	const inherited = Object.fromEntries(
		Object.entries(process.env).filter(
			([name]) => !/^(CI|NO_COLOR|FORCE_COLOR|COLORFGBG|NODE_ENV|VITEST.*|LC_.*|LANG|TERM.*|INK_.*)$/.test(name),
		),
	);
	const pty: IPty = spawn(file, args, {
		// What node-pty puts into TERM, whatever else is said.
		name: env.TERM ?? 'xterm-256color',
		cols: columns,
		rows,
		cwd: cwd ?? process.cwd(),
		env: {...inherited, LANG: 'C.UTF-8', TZ: 'UTC', TERM: 'xterm-256color', ...env} as Record<string, string>,
	});
	let raw = '';
	let isOpen = true;
	const waiting = new Set<() => void>();
	pty.onData(data => {
		raw += data;
		terminal.write(data, () => {
			for (const check of waiting) check();
		});
	});
	const exited = new Promise<{exitCode: number; signal?: number}>(resolve => {
		pty.onExit(event => {
			// What was written last may still be on its way through the emulator.
			setTimeout(() => {
				terminal.write('', () => {
					isOpen = false;
					resolve(event);
					for (const check of waiting) check();
				});
			}, 50);
		});
	});
	const lines = () => {
		const {active} = terminal.buffer;
		return Array.from(
			{length: terminal.rows},
			(_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
		);
	};
	const text = () => lines().join('\n');
	return {
		pid: pty.pid,
		terminal,
		lines,
		text,
		raw: () => raw,
		send: bytes => pty.write(bytes),
		waitFor(wanted, milliseconds = 60_000) {
			const matches = () => {
				const shown = text();
				if (typeof wanted === 'string') return shown.includes(wanted);
				return wanted instanceof RegExp ? wanted.test(shown) : wanted(shown);
			};
			return new Promise((resolve, reject) => {
				const finish = (error?: Error) => {
					clearTimeout(timer);
					waiting.delete(check);
					if (error) reject(error);
					else resolve();
				};
				const check = () => {
					if (matches()) finish();
					else if (!isOpen) finish(new Error(`The program ended before the screen showed ${wanted}:\n${text()}`));
				};
				const timer = setTimeout(
					() => finish(new Error(`The screen never showed ${wanted}:\n${text()}`)),
					milliseconds,
				);
				waiting.add(check);
				check();
			});
		},
		async resize(newColumns, newRows) {
			terminal.resize(newColumns, newRows);
			pty.resize(newColumns, newRows);
		},
		modes() {
			const hidden = raw.lastIndexOf('\u001b[?25l') > raw.lastIndexOf('\u001b[?25h');
			return {
				alternate: terminal.buffer.active.type === 'alternate',
				wrap: terminal.modes.wraparoundMode,
				bracketedPaste: terminal.modes.bracketedPasteMode,
				mouse: terminal.modes.mouseTrackingMode !== 'none',
				cursorHidden: hidden,
			};
		},
		inverse() {
			const {active} = terminal.buffer;
			const found: string[] = [];
			for (let row = 0; row < terminal.rows; row++) {
				const line = active.getLine(active.baseY + row);
				let run = '';
				for (let column = 0; column < terminal.cols; column++) {
					const cell = line?.getCell(column);
					if (cell?.isInverse()) run += cell.getChars() || (cell.getWidth() === 0 ? '' : ' ');
					else if (run !== '') {
						found.push(run.trim());
						run = '';
					}
				}
				if (run !== '') found.push(run.trim());
			}
			return found;
		},
		kill: signal => pty.kill(signal),
		pause: () => pty.pause(),
		resume: () => pty.resume(),
		exited,
		dispose() {
			if (isOpen) pty.kill('SIGKILL');
			terminal.dispose();
		},
	};
}

const root = fileURLToPath(new URL('../..', import.meta.url));
let bundled: Promise<string> | undefined;

/** The fixture program as plain JavaScript: Node strips types but knows no JSX. */
export function fixtureProgram(): Promise<string> {
	bundled ??= (async () => {
		const outfile = path.join(root, `node_modules/.cache/tui-fixture-${process.pid}.mjs`);
		await build({
			entryPoints: [path.join(root, 'test/helpers/tui-fixture.ts')],
			outfile,
			bundle: true,
			platform: 'node',
			format: 'esm',
			packages: 'external',
			jsx: 'automatic',
			logLevel: 'warning',
		});
		process.on('exit', () => rmSync(outfile, {force: true}));
		return outfile;
	})();
	return bundled;
}

/** Starts the screens over scripted engines; `fixture` is what test/helpers/tui-fixture.ts reads. */
export async function startFixture(fixture: Record<string, unknown>, options: PtyOptions): Promise<PtyScreen> {
	const program = await fixtureProgram();
	return startPty(process.execPath, [program], {...options, env: {FIXTURE: JSON.stringify(fixture), ...options.env}});
}
