// The screens' front door. Nothing of React or Ink is loaded before the environment is set for them.
import type {PeerEngine, ServerEngine} from '../engine/messages.ts';
import type {LaunchDefaults, LaunchRequest} from '../store/form.ts';
import type {FoundServer} from '../store/menu.ts';
import type {Settings} from '../store/settings.ts';
import type {SaveSettings} from '../store/settings-controller.ts';
import type {KeySource} from './terminal/key-stream.ts';
import type {ScreenStream} from './terminal/terminal-modes.ts';
import {type Look, lookFromEnvironment} from './theme.ts';

export type {LaunchDefaults, LaunchRequest} from '../store/form.ts';
export type {Look} from './theme.ts';

/** What the screens are started with. */
export type TuiOptions = {
	/** The start menu, or the screen of an engine that runs already. */
	start:
		| {kind: 'menu' /** A prompt to begin with, and why. */; form?: 'server' | 'peer'; note?: string}
		| {kind: 'engine'; mode: 'peer' | 'server'; handle: PeerEngine | ServerEngine};
	/**
	 * Starts what the start menu asks for. A P2pError that it rejects with is shown at the prompt's field. `share` is an
	 * absolute folder; `server` is HOST:PORT; a `port` or `host` left at its default is absent.
	 */
	launch(request: LaunchRequest): Promise<PeerEngine | ServerEngine>;
	/** How it looks; the environment decides what is left open. */
	settings: Look;
	/** What was set on the screen before, or by flags. */
	preferences?(): Partial<Settings>;
	/** Keeps what is set on the screen for the next start. Rejects with a P2pError. */
	savePreferences?: SaveSettings;
	/**
	 * Looks for index servers on the local network, and tells all that are there now whenever that changes. Returns the
	 * end of it.
	 */
	watchServers?(onChange: (servers: readonly FoundServer[]) => void): () => void;
	/** What the prompts are filled with. */
	defaults: LaunchDefaults;
	/** The terminal, when it is not the process's own. */
	stdin?: KeySource;
	stdout?: ScreenStream;
};

/**
 * Draws the screens until the person quits, the terminal goes away, a signal comes, or the engine or a screen breaks.
 * The engine is stopped and the terminal restored before this resolves; it never rejects. What went wrong was printed.
 */
export async function runTui(options: TuiOptions): Promise<{exitCode: number}> {
	const {env} = process;
	const look = lookFromEnvironment(options.settings, env);
	// Colours are painted by the theme alone; this is for the inverse cursor of Ink's text field, which any terminal has.
	const forced = env.FORCE_COLOR;
	env.FORCE_COLOR = '1';
	// React's development build takes half as long again for each frame.
	env.NODE_ENV ??= 'production';
	const {runSession} = await import('./session.tsx');
	if (forced === undefined) delete env.FORCE_COLOR;
	else env.FORCE_COLOR = forced;
	return runSession(options, look);
}
