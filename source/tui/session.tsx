// One run of the screens: the terminal is taken, an engine attached, and everything given back at the end.
import {render, type SuspendTerminal} from 'ink';
import {errorLine, P2pError} from '../core/errors.ts';
import {exitCodes} from '../core/exit-codes.ts';
import type {PeerEngine, ServerEngine} from '../engine/messages.ts';
import {expandFolder} from '../store/folder.ts';
import {fieldOfFailure, firstBadField, type LaunchRequest, launchRequest} from '../store/form.ts';
import type {MenuChoice} from '../store/menu.ts';
import {PeerController} from '../store/peer/peer-controller.ts';
import {ServerController} from '../store/server-controller.ts';
import {SettingsController} from '../store/settings-controller.ts';
import type {Size} from '../store/state.ts';
import {createUiStore, type UiStore} from '../store/ui-store.ts';
import {App} from './app.tsx';
import type {CommandContext} from './keys/commands.ts';
import {keyReceiver} from './keys/dispatch.ts';
import {HitAreas} from './keys/hit-areas.ts';
import type {TuiOptions} from './run-tui.tsx';
import {FramePainter} from './terminal/frame-painter.ts';
import {KeyStream} from './terminal/key-stream.ts';
import {Notifier} from './terminal/notifier.ts';
import {Sheet} from './terminal/sheet.ts';
import {showFile} from './terminal/show-file.ts';
import {type ScreenStream, TerminalModes} from './terminal/terminal-modes.ts';
import {createTheme, type Look} from './theme.ts';

/** Milliseconds that an engine has to stop in after a signal or a crash. */
const stopTime = 5000;

const sizeOf = (stream: ScreenStream): Size => ({columns: stream.columns || 80, rows: stream.rows || 24});

type Ending = {exitCode: number; error?: unknown};

/** Draws until something ends it. Never rejects. */
export async function runSession(options: TuiOptions, look: Required<Look>): Promise<{exitCode: number}> {
	const session = new Session(options, look);
	return session.run();
}

class Session {
	readonly #options: TuiOptions;
	readonly #look: Required<Look>;
	readonly #stdout: ScreenStream;
	readonly #store: UiStore;
	readonly #keys: KeyStream;
	readonly #sheet = new Sheet();
	readonly #painter: FramePainter;
	readonly #modes: TerminalModes;
	readonly #notifier: Notifier;
	readonly #settings: SettingsController;
	readonly #context: CommandContext;
	readonly #ended = Promise.withResolvers<Ending>();
	#instance: ReturnType<typeof render> | undefined;
	#suspendTerminal: SuspendTerminal | undefined;
	#suspended = false;
	#engine: PeerEngine | ServerEngine | undefined;
	#stopping: Promise<void> | undefined;
	#detach: (() => void)[] = [];

	constructor(options: TuiOptions, look: Required<Look>) {
		this.#options = options;
		this.#look = look;
		this.#stdout = options.stdout ?? process.stdout;
		this.#store = createUiStore(sizeOf(this.#stdout));
		this.#keys = new KeyStream(options.stdin ?? process.stdin);
		this.#keys.receiver = () => keyReceiver(this.#store.get());
		this.#painter = new FramePainter(this.#stdout, this.#sheet);
		this.#modes = new TerminalModes(this.#stdout);
		this.#notifier = new Notifier(this.#stdout, process.env);
		this.#settings = new SettingsController(this.#store, options.savePreferences ?? (async () => {}));
		this.#store.dispatch({type: 'settings/loaded', settings: options.preferences?.() ?? {}});
		this.#setMouse();
		this.#context = {
			store: this.#store,
			settings: this.#settings,
			areas: new HitAreas(),
			app: {
				quit: () => void this.#quit(),
				suspend: () => void this.#suspend(),
				repaint: () => this.#repaint(),
				copy: text => this.#copy(text),
				show: showFile,
				submitForm: () => void this.#submitForm(),
			},
		};
	}

	async run(): Promise<{exitCode: number}> {
		const {start} = this.#options;
		const release = this.#listen();
		if (start.kind === 'engine') this.#attach(start.handle);
		else if (start.form) this.#openForm(start.form, start.note);
		this.#watchServers();
		const stopFollowing = this.#store.subscribe(() => this.#follow());
		this.#modes.enter();
		this.#follow();
		this.#keys.open();
		this.#instance = render(
			<App
				ui={{
					theme: createTheme(this.#look),
					lookFor: theme => (theme === 'auto' ? this.#look : {...this.#look, theme}),
					context: this.#context,
					sheet: this.#sheet,
					keys: this.#keys,
					onReady: suspendTerminal => {
						this.#suspendTerminal = suspendTerminal;
					},
					onMenu: choice => void this.#menu(choice),
				}}
			/>,
			{
				stdout: this.#painter as unknown as NodeJS.WriteStream,
				stdin: this.#keys as unknown as NodeJS.ReadStream,
				alternateScreen: true,
				// The painter compares frames by cells; Ink's comparison by rows would only hide them from it.
				incrementalRendering: false,
				maxFps: 60,
				patchConsole: false,
				exitOnCtrlC: false,
				interactive: true,
			},
		);
		this.#instance.waitUntilExit().then(
			() => this.#end({exitCode: exitCodes.done}),
			(error: unknown) => this.#end({exitCode: exitCodes.failed, error}),
		);
		const ending = await this.#ended.promise;
		stopFollowing();
		this.#restore();
		await Promise.race([this.#stopEngine(), new Promise(resolve => setTimeout(resolve, stopTime).unref())]);
		release();
		if (ending.error === undefined) return {exitCode: ending.exitCode};
		printError(ending.error);
		return {exitCode: ending.error instanceof P2pError ? ending.error.exitCode : ending.exitCode};
	}

	/** Brings the terminal in line with the settings and with what happened. */
	#follow(): void {
		const state = this.#store.get();
		this.#setMouse();
		if (!this.#suspended) this.#notifier.follow(state);
	}

	/** GNU screen holds an Esc back for ever while it waits for the rest of a report of the mouse: there is none inside it. */
	#setMouse(): void {
		this.#modes.setMouse(this.#store.get().settings.mouse && !process.env.STY);
	}

	#end(ending: Ending): void {
		this.#ended.resolve(ending);
	}

	/** Gives the terminal back. */
	#restore(): void {
		for (const stop of this.#detach.splice(0)) stop();
		this.#instance?.unmount();
		this.#keys.close();
		this.#notifier.giveBack();
		this.#modes.leaveAll();
	}

	/** Signals, crashes, resizes, and the terminal's end. Returns what takes the listeners away again. */
	#listen(): () => void {
		const crash = (error: unknown) => this.#end({exitCode: exitCodes.failed, error});
		const interrupted = () => this.#end({exitCode: exitCodes.interrupted});
		const resize = () => this.#store.dispatch({type: 'resize', size: sizeOf(this.#stdout)});
		// Stopped and continued by someone else: the shell has used the terminal since.
		const continued = () => {
			if (this.#suspended) return;
			this.#keys.close();
			this.#keys.open();
			this.#modes.leave();
			this.#modes.enter();
			this.#stdout.write('\u001b[?1049h\u001b[?25l');
			this.#repaint();
		};
		const atExit = () => this.#restore();
		process.on('uncaughtException', crash);
		process.on('unhandledRejection', crash);
		for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, interrupted);
		process.on('SIGCONT', continued);
		process.on('exit', atExit);
		// While the screen is drawn a terminal that is gone ends the program in order, whatever else listens for it.
		const others = this.#stdout.listeners('error') as ((error: Error) => void)[];
		for (const other of others) this.#stdout.off('error', other);
		this.#stdout.on('error', interrupted);
		this.#keys.on('hangup', interrupted);
		// Before Ink's own listener, so that the tree has the new size when Ink draws it.
		this.#stdout.on('resize', resize);
		return () => {
			process.off('uncaughtException', crash);
			process.off('unhandledRejection', crash);
			for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.off(signal, interrupted);
			process.off('SIGCONT', continued);
			process.off('exit', atExit);
			this.#stdout.off('resize', resize);
			// Ours stays: a terminal that is gone may still report it, and that must not end the process with a crash.
			for (const other of others) this.#stdout.on('error', other);
		};
	}

	/** Shows an engine's screen and follows its snapshots. */
	#attach(engine: PeerEngine | ServerEngine): void {
		this.#engine = engine;
		const first = engine.snapshot();
		this.#store.dispatch({type: 'snapshot', snapshot: first});
		this.#store.dispatch({type: 'settings/loaded', settings: {...this.#options.preferences?.(), name: first.name}});
		this.#store.dispatch({type: 'screen', screen: first.mode});
		this.#detach.push(engine.subscribe(() => this.#store.dispatch({type: 'snapshot', snapshot: engine.snapshot()})));
		if (first.mode === 'peer') {
			const peer = new PeerController(this.#store, engine as PeerEngine);
			this.#context.peer = peer;
			this.#settings.peer = engine as PeerEngine;
			this.#detach.push(
				this.#store.subscribe(() => peer.follow()),
				() => peer.stop(),
			);
			peer.follow();
		} else {
			const server = new ServerController(this.#store, engine as ServerEngine);
			this.#context.server = server;
			this.#detach.push(this.#store.subscribe(() => server.follow()));
			server.follow();
		}
		engine.ended.then(
			() => this.#end({exitCode: exitCodes.done}),
			(error: unknown) => this.#end({exitCode: exitCodes.failed, error}),
		);
	}

	#stopEngine(): Promise<void> {
		// How it fails to stop is the engine's to log; the screen is gone by then.
		this.#stopping ??= (this.#engine?.stop() ?? Promise.resolve()).catch(() => {});
		return this.#stopping;
	}

	/** Stops the engine in order while the screen says so; asked again, ends at once. */
	async #quit(): Promise<void> {
		if (this.#stopping || !this.#engine) return this.#end({exitCode: exitCodes.done});
		this.#store.dispatch({type: 'screen', screen: 'stopping'});
		await this.#stopEngine();
		this.#end({exitCode: exitCodes.done});
	}

	async #menu(choice: MenuChoice): Promise<void> {
		if (choice.do === 'quit') return this.#quit();
		if (choice.do === 'server' || choice.do === 'peer') return this.#openForm(choice.do);
		if (choice.do === 'join' && choice.server.private) {
			this.#openForm('peer', `${choice.server.name || 'That server'} is private: paste the invite link you were given`);
			return;
		}
		const {share, name} = this.#options.defaults;
		const [starting, request]: [string, LaunchRequest] =
			choice.do === 'join'
				? [
						`Joining ${choice.server.name} at ${choice.server.address}`,
						{mode: 'peer', server: choice.server.address, ...(share && {share}), ...(name && {name})},
					]
				: ['Starting a server and peers on this machine', {mode: 'demo'}];
		this.#store.dispatch({type: 'screen', screen: 'starting', starting});
		try {
			this.#attach(await this.#options.launch(request));
		} catch (error) {
			this.#store.dispatch({type: 'screen', screen: 'menu'});
			this.#store.dispatch({type: 'toast', kind: 'error', text: errorLine(error)});
		}
	}

	#openForm(form: 'server' | 'peer', note?: string): void {
		const {defaults} = this.#options;
		this.#store.dispatch({type: 'form/open', form, defaults, ...(note !== undefined && {note})});
	}

	/** Looks for index servers on the local network while nothing runs yet. */
	#watchServers(): void {
		const store = this.#store;
		const isChoosing = () => ['menu', 'form', 'starting'].includes(store.get().screen);
		if (!this.#options.watchServers || !isChoosing()) return;
		const stop = this.#options.watchServers(servers => store.dispatch({type: 'found', servers}));
		const off = store.subscribe(() => {
			if (isChoosing()) return;
			off();
			stop();
		});
		this.#detach.push(off, stop);
	}

	/** Enter in a prompt: the next field, or the start when it was the last. */
	async #submitForm(): Promise<void> {
		const {form} = this.#store.get();
		if (!form || form.busy) return;
		const current = form.fields[form.index];
		if (current?.error) return;
		if (form.index < form.fields.length - 1) return this.#store.dispatch({type: 'form/move', by: 1});
		const bad = firstBadField(form);
		if (bad) {
			this.#store.dispatch({type: 'form/failed', field: form.fields[bad.index]?.id, message: bad.error});
			return;
		}
		const asked = launchRequest(form);
		const request: LaunchRequest =
			asked.mode === 'peer' && asked.share ? {...asked, share: expandFolder(asked.share)} : asked;
		this.#store.dispatch({type: 'form/busy'});
		try {
			this.#attach(await this.#options.launch(request));
		} catch (error) {
			if (!(error instanceof P2pError)) return this.#end({exitCode: exitCodes.failed, error});
			const field = fieldOfFailure(form.kind, error.code, error.message);
			this.#store.dispatch({type: 'form/failed', field, message: error.line});
		}
	}

	#repaint(): void {
		if (this.#suspended) return;
		this.#instance?.clear();
		this.#painter.forget();
		this.#store.dispatch({type: 'repaint'});
	}

	#copy(text: string): void {
		this.#stdout.write(`\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`);
		this.#store.dispatch({type: 'toast', kind: 'ok', text: `Copied ${text}`});
	}

	/** Hands the terminal to the shell; the shell's `fg` brings it back. */
	async #suspend(): Promise<void> {
		if (process.platform === 'win32') {
			this.#store.dispatch({type: 'toast', kind: 'info', text: 'This system cannot suspend programs'});
			return;
		}
		if (!this.#suspendTerminal || this.#suspended) return;
		this.#suspended = true;
		await this.#suspendTerminal(async () => {
			this.#keys.close();
			this.#modes.leave();
			this.#notifier.giveBack();
			// The whole job, as the terminal itself would do: a parent such as npm must stop as well.
			process.kill(0, 'SIGTSTP');
			// Running again, or never stopped where there is no shell to stop for.
			await new Promise(resolve => setTimeout(resolve, 50));
			this.#modes.enter();
			this.#keys.open();
			this.#store.dispatch({type: 'resize', size: sizeOf(this.#stdout)});
		});
		this.#suspended = false;
	}
}

function printError(error: unknown): void {
	const isOurs = error instanceof P2pError;
	const text = isOurs ? error.line : error instanceof Error ? (error.stack ?? error.message) : String(error);
	process.stderr.write(`p2p-tui: ${text}\n`);
}
