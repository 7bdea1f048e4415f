// What the keys and the palette can do.
import type {Action} from '../../store/actions.ts';
import {type EditKey, editText} from '../../store/edit-text.ts';
import {panesOf} from '../../store/layout.ts';
import type {PeerController} from '../../store/peer/peer-controller.ts';
import {isLink} from '../../store/peer/search-controller.ts';
import {currentPeer, runningTransfers} from '../../store/selectors.ts';
import type {ServerController} from '../../store/server-controller.ts';
import type {SettingsController} from '../../store/settings-controller.ts';
import type {UiState} from '../../store/state.ts';
import type {UiStore} from '../../store/ui-store.ts';
import type {HitAreas} from './hit-areas.ts';
import {paletteEntries} from './palette.ts';

/** What the program around the screens can do for a command. */
export type AppActions = {
	/** Ends the program in order. */
	quit(): void;
	/** Hands the terminal back to the shell until `fg`. */
	suspend(): void;
	/** Draws everything again. */
	repaint(): void;
	/** Puts text on the terminal's clipboard (OSC 52). */
	copy(text: string): void;
	/** Shows a file or folder in the desktop's own program, where there is a desktop. */
	show(file: string): void;
	/** Sends the form of the start menu. */
	submitForm(): void;
};

/** What a command works on. */
export type CommandContext = {
	store: UiStore;
	app: AppActions;
	settings: SettingsController;
	/** What answers to clicks; absent where nothing is drawn. */
	areas?: HitAreas;
	peer?: PeerController;
	server?: ServerController;
};

type Command = {run(context: CommandContext): unknown};

const dispatching = (action: Action): Command => ({run: ({store}) => store.dispatch(action)});

const withPeer = (run: (peer: PeerController) => unknown): Command => ({run: ({peer}) => peer && run(peer)});

const pane = (number: number): Command => ({
	run({store}) {
		const id = panesOf(store.get())[number - 1];
		if (id) store.dispatch({type: 'pane', pane: id});
	},
});

/** What is in the text field that is open. */
function fieldText({focus, search, log, requests, form}: UiState): string {
	if (focus.textMode === 'search') return search.query;
	if (focus.textMode === 'filter') return focus.pane === 'requests' ? requests.filter : log.filter;
	if (focus.textMode === 'form') return form?.fields[form.index]?.value ?? '';
	if (focus.overlay?.kind === 'palette') return focus.overlay.query;
	return focus.overlay?.kind === 'share' || focus.overlay?.kind === 'settings' ? focus.overlay.value : '';
}

/** Puts text into the field that is open. */
export function setFieldText({store, peer}: CommandContext, text: string): void {
	// A deleted half of a character leaves the other half behind.
	const value = text.replace(/\p{Surrogate}/gu, '');
	const {focus} = store.get();
	if (focus.textMode === 'search') peer?.search.type(value);
	else if (focus.textMode === 'filter') store.dispatch({type: 'tail/filter', filter: value});
	else if (focus.textMode === 'form') store.dispatch({type: 'form/value', value});
	else if (focus.textMode === 'palette') store.dispatch({type: 'palette/query', query: value});
	else if (focus.textMode === 'share') store.dispatch({type: 'share/value', value});
	else if (focus.textMode === 'settings') store.dispatch({type: 'settings/value', value});
}

/** A key that moves or deletes in the field that is open. */
const editing = (key: EditKey): Command => ({
	run(context) {
		const {store} = context;
		const before = fieldText(store.get());
		const {text, behind} = editText(before, Math.min(store.get().behind, before.length), key);
		if (text !== before) setFieldText(context, text);
		store.dispatch({type: 'behind', behind});
	},
});

/** Downloads what the link in the search field names, and empties the field when that begins. */
async function getLink(link: string, peer: PeerController): Promise<void> {
	if (await peer.get.link(link)) peer.search.type('');
}

function askQuit({store, app}: CommandContext): void {
	const {down, up} = runningTransfers(store.get());
	if (down + up === 0) {
		app.quit();
		return;
	}
	const count = (number: number, word: string) => (number === 1 ? `1 ${word}` : `${number} ${word}s`);
	const running = [down > 0 && count(down, 'download'), up > 0 && count(up, 'upload')].filter(Boolean).join(' and ');
	store.dispatch({
		type: 'overlay',
		overlay: {
			kind: 'confirm',
			title: 'Quit?',
			lines: [`${running} ${down + up === 1 ? 'is' : 'are'} running.`, 'Downloads resume at the next start.'],
			yes: 'quit',
			no: 'stay',
			command: {do: 'quit'},
		},
	});
}

function goBack(context: CommandContext): void {
	const {store} = context;
	const {zoom, focus, log, requests, search, transferFilter} = store.get();
	if (zoom) store.dispatch({type: 'zoom'});
	else if (
		(focus.pane === 'log' && (log.frozen || log.filter)) ||
		(focus.pane === 'requests' && (requests.frozen || requests.filter))
	) {
		store.dispatch({type: 'tail/filter', filter: ''});
		store.dispatch({type: 'tail/follow'});
	} else if (focus.pane === 'transfers' && transferFilter !== 'all')
		store.dispatch({type: 'transfers/filter', filter: 'all'});
	else if (focus.pane === 'search' && search.query !== '') context.peer?.search.type('');
}

function confirmed(context: CommandContext): void {
	const {overlay} = context.store.get().focus;
	if (overlay?.kind !== 'confirm') return;
	context.store.dispatch({type: 'overlay', overlay: undefined});
	const {command} = overlay;
	if (command.do === 'quit') context.app.quit();
	else if (command.do === 'cancel') void context.peer?.transfers.cancel(command.key);
	else if (command.do === 'kick') void context.server?.kick(command.peer, command.name);
	else if (command.do === 'audience') void context.peer?.shares.setAudience(command.name, command.peers);
	else void context.peer?.shares.remove(command.name);
}

function runFromPalette(context: CommandContext): void {
	const {store} = context;
	const {overlay} = store.get().focus;
	if (overlay?.kind !== 'palette') return;
	const entry = paletteEntries(store.get(), overlay.query)[overlay.index];
	store.dispatch({type: 'overlay', overlay: undefined});
	if (!entry) return;
	if (entry.pane) store.dispatch({type: 'pane', pane: entry.pane});
	runCommand(entry.command, context);
}

function openSearch({store, peer}: CommandContext): void {
	if (!peer) {
		store.dispatch({type: 'toast', kind: 'info', text: 'A server has no search: run a peer to search it'});
		return;
	}
	store.dispatch({type: 'pane', pane: 'search'});
	store.dispatch({type: 'text', mode: 'search'});
}

const commands = {
	'search.edit': {run: openSearch},
	'search.peerLeft': dispatching({type: 'search/peer', by: -1}),
	'search.peerRight': dispatching({type: 'search/peer', by: 1}),
	'search.mark': dispatching({type: 'search/mark'}),
	'search.browse': withPeer(peer => peer.browse.open('search')),
	'search.sort': {
		run({store}) {
			store.dispatch({type: 'search/sort', reverse: false});
		},
	},
	'search.reverse': dispatching({type: 'search/sort', reverse: true}),
	'get.open': withPeer(peer => {
		peer.search.askNow();
		peer.get.open();
	}),
	'search.copy': {
		run({app, peer}) {
			const link = peer?.get.linkOfChosen();
			if (link !== undefined) app.copy(link);
		},
	},
	'get.now': withPeer(peer => peer.get.now()),
	'get.up': dispatching({type: 'get/move', by: -1}),
	'get.down': dispatching({type: 'get/move', by: 1}),
	'get.toggle': dispatching({type: 'get/toggle'}),
	'get.all': dispatching({type: 'get/all'}),
	'get.start': withPeer(peer => peer.get.start()),

	'transfer.pause': withPeer(peer => peer.transfers.togglePause()),
	'transfer.retry': withPeer(peer => peer.transfers.retry()),
	'transfer.cancel': withPeer(peer => peer.transfers.askCancel()),
	'transfer.sooner': withPeer(peer => peer.transfers.move(-1)),
	'transfer.later': withPeer(peer => peer.transfers.move(1)),
	'transfer.place': {
		run({app, peer}) {
			const place = peer?.transfers.place();
			if (place !== undefined) app.show(place);
		},
	},
	'transfer.filter': dispatching({type: 'transfers/filter'}),
	'transfer.details': withPeer(peer => peer.transfers.details()),

	'peers.browse': withPeer(peer => peer.browse.open('peers')),
	'peers.copy': {
		run({store, app}) {
			const row = currentPeer(store.get());
			if (row) app.copy(row.id);
		},
	},
	'members.copy': {
		run({store, app}) {
			const {server, lists} = store.get();
			const row = server?.peers.rows[lists.members.index - server.peers.offset];
			if (row) app.copy(row.id);
		},
	},
	'members.kick': {run: ({server}) => server?.askKick()},
	'server.export': {run: ({server}) => server?.export()},
	'settings.open': dispatching({type: 'overlay', overlay: {kind: 'settings', index: 0, value: ''}}),
	'settings.up': dispatching({type: 'settings/move', by: -1}),
	'settings.down': dispatching({type: 'settings/move', by: 1}),
	'settings.less': {run: ({settings}) => settings.step(-1)},
	'settings.more': {run: ({settings}) => settings.step(1)},
	'settings.enter': {run: ({settings}) => settings.enter()},
	'settings.commit': {run: ({settings}) => settings.commit()},
	'settings.leave': dispatching({type: 'text', mode: undefined}),

	'browse.enter': withPeer(peer => peer.browse.enter()),
	'browse.get': withPeer(peer => peer.browse.get()),
	'browse.up': withPeer(peer => peer.browse.up()),
	'browse.close': dispatching({type: 'browse/close'}),

	'share.add': dispatching({type: 'overlay', overlay: {kind: 'share', value: '', busy: false}}),
	'share.commit': withPeer(peer => peer.shares.add()),
	'share.rescan': withPeer(peer => peer.shares.rescan()),
	'share.remove': withPeer(peer => peer.shares.askRemove()),
	'share.off': withPeer(peer => peer.shares.toggleOff()),
	'share.for': withPeer(peer => peer.shares.toggleFor()),

	'tail.filter': dispatching({type: 'text', mode: 'filter'}),
	'tail.pause': dispatching({type: 'tail/pause'}),
	'tail.follow': dispatching({type: 'tail/follow'}),
	'log.level': dispatching({type: 'log/level'}),

	'move.up': dispatching({type: 'move', step: 'up'}),
	'move.down': dispatching({type: 'move', step: 'down'}),
	'move.pageUp': dispatching({type: 'move', step: 'pageUp'}),
	'move.pageDown': dispatching({type: 'move', step: 'pageDown'}),
	'move.first': dispatching({type: 'move', step: 'first'}),
	'move.last': dispatching({type: 'move', step: 'last'}),

	'view.zoom': dispatching({type: 'zoom'}),
	'view.back': {run: goBack},
	'view.repaint': {run: ({app}) => app.repaint()},
	'pane.1': pane(1),
	'pane.2': pane(2),
	'pane.3': pane(3),
	'pane.4': pane(4),
	'pane.5': pane(5),
	'pane.next': dispatching({type: 'pane/next', by: 1}),
	'pane.previous': dispatching({type: 'pane/next', by: -1}),
	'palette.open': dispatching({type: 'overlay', overlay: {kind: 'palette', query: '', index: 0}}),
	'help.open': dispatching({type: 'overlay', overlay: {kind: 'help', top: 0}}),
	'overlay.close': dispatching({type: 'overlay', overlay: undefined}),
	'app.quit': {run: askQuit},
	'app.quitNow': {run: ({app}) => app.quit()},
	'app.suspend': {run: ({app}) => app.suspend()},

	'text.done': {
		run({store, peer}) {
			const {focus, search} = store.get();
			if (focus.textMode === 'search' && peer && isLink(search.query)) void getLink(search.query.trim(), peer);
			else if (focus.textMode === 'search') peer?.search.askNow();
			store.dispatch({type: 'text', mode: undefined});
		},
	},
	'text.leave': dispatching({type: 'text', mode: undefined}),
	'text.clear': {
		run(context) {
			setFieldText(context, '');
			context.store.dispatch({type: 'behind', behind: 0});
		},
	},
	'text.word': editing('word'),
	'text.left': editing('left'),
	'text.right': editing('right'),
	'text.home': editing('home'),
	'text.end': editing('end'),
	'text.backspace': editing('backspace'),
	'text.delete': editing('delete'),

	'palette.up': {run: ({store}) => movePalette(store, -1)},
	'palette.down': {run: ({store}) => movePalette(store, 1)},
	'palette.run': {run: runFromPalette},
	'confirm.yes': {run: confirmed},

	'form.enter': {run: ({app}) => app.submitForm()},
	'form.next': dispatching({type: 'form/move', by: 1}),
	'form.previous': dispatching({type: 'form/move', by: -1}),
	'form.found': dispatching({type: 'form/found'}),
	'form.back': dispatching({type: 'screen', screen: 'menu'}),
} satisfies Record<string, Command>;

function movePalette(store: UiStore, by: 1 | -1): void {
	const {overlay} = store.get().focus;
	if (overlay?.kind !== 'palette') return;
	store.dispatch({type: 'palette/move', by, count: paletteEntries(store.get(), overlay.query).length});
}

/** The name of something that a key or the palette can do. */
export type CommandId = keyof typeof commands;

/** Does it. */
export function runCommand(id: CommandId, context: CommandContext): void {
	void (commands[id] as Command).run(context);
}
