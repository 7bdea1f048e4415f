// What reaches a person who looks elsewhere: the bell, the window's title, and a notification of the desktop.
import type {UiState} from '../../store/state.ts';
import {safeText} from '../draw/width.ts';
import type {ScreenStream} from './terminal-modes.ts';

const bel = '\u0007';
const esc = '\u001b';
/** Milliseconds between two changes of the title. */
const titlePause = 1000;

/** Which escape sequences a terminal takes for a notification; undefined where it would print or drop them. */
type NotifyStyle = 'osc9' | 'osc777';

/** What the environment says about the terminal. Nothing is sent to the Linux console and to dumb terminals. */
export function notifyStyle(env: NodeJS.ProcessEnv): NotifyStyle | undefined {
	if (!env.TERM || env.TERM === 'dumb' || env.TERM === 'linux') return undefined;
	// VTE (GNOME Terminal and its kin), urxvt and foot know OSC 777; the others (iTerm2, kitty, WezTerm, Ghostty) OSC 9.
	return env.VTE_VERSION || /^(rxvt|foot)/.test(env.TERM) ? 'osc777' : 'osc9';
}

/** A notification as the terminal takes it; inside tmux wrapped so that it is passed through where that is allowed. */
export function notification(style: NotifyStyle, title: string, text: string, isTmux: boolean): string {
	const clean = (part: string) => safeText(part).replaceAll(';', ',');
	const sequence =
		style === 'osc9'
			? `${esc}]9;${clean(title)}: ${clean(text)}${bel}`
			: `${esc}]777;notify;${clean(title)};${clean(text)}${bel}`;
	return isTmux ? `${esc}Ptmux;${sequence.replaceAll(esc, esc + esc)}${esc}\\` : sequence;
}

/** The window's title: how far the running downloads are together. */
export function windowTitle({peer, server}: UiState): string {
	if (server) return `p2p-tui server: ${server.counts.online} peers`;
	const running = peer?.transfers.rows.filter(
		({direction, state}) => direction === 'down' && (state === 'running' || state === 'verifying'),
	);
	if (!running?.length) return 'p2p-tui';
	const size = running.reduce((sum, row) => sum + row.size, 0);
	const done = running.reduce((sum, row) => sum + row.done, 0);
	const name = running.length === 1 ? safeText(running[0]?.name ?? '').slice(0, 60) : `${running.length} downloads`;
	return `${size > 0 ? Math.floor((done / size) * 100) : 0}% ${name} - p2p-tui`;
}

/** Follows the state, and tells the terminal. */
export class Notifier {
	readonly #stream: ScreenStream;
	readonly #style: NotifyStyle | undefined;
	readonly #isTmux: boolean;
	#titleAt = Number.NEGATIVE_INFINITY;
	#title: string | undefined;
	#lastToast = 0;

	constructor(stream: ScreenStream, env: NodeJS.ProcessEnv) {
		this.#stream = stream;
		this.#style = notifyStyle(env);
		this.#isTmux = env.TMUX !== undefined;
	}

	/** Called after each change of the state. */
	follow(state: UiState, now = performance.now()): void {
		if (!this.#style) return;
		const {toast, settings} = state;
		if (toast && toast.id !== this.#lastToast) {
			this.#lastToast = toast.id;
			if (toast.isNews && settings.bell) this.#write(bel);
			if (toast.isNews && settings.notify) this.#write(notification(this.#style, 'p2p-tui', toast.text, this.#isTmux));
		}
		if (!settings.title) {
			this.giveBack();
			return;
		}
		if (now - this.#titleAt < titlePause) return;
		this.#titleAt = now;
		const title = windowTitle(state);
		if (title === this.#title) return;
		// The title that was there comes back at the end: XTWINOPS 22 and 23 save and restore it.
		this.#write(`${this.#title === undefined ? `${esc}[22;2t` : ''}${esc}]2;${title}${bel}`);
		this.#title = title;
	}

	/** Puts the title back that was there before. */
	giveBack(): void {
		if (this.#title === undefined) return;
		this.#title = undefined;
		this.#write(`${esc}]2;${bel}${esc}[23;2t`);
	}

	#write(text: string): void {
		try {
			if (!this.#stream.destroyed) this.#stream.write(text);
		} catch {
			// The terminal is gone; there is nobody to tell.
		}
	}
}
