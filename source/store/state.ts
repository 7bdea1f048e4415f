// The one state of the screens: what is focused, where each list stands, what is typed, and the engine's newest snapshot.
import type {BrowseEntry, ContentSources} from '../api/schemas.ts';
import type {LogLevel} from '../core/events.ts';
import type {
	LogLine,
	PeerSnapshot,
	RequestRow,
	ServerSnapshot,
	TransferDetails,
	TransferFilter,
} from '../engine/messages.ts';
import type {FormState} from './form.ts';
import type {FoundServer} from './menu.ts';
import {defaultSettings, type SettingId, type Settings} from './settings.ts';

/** The terminal's size in cells. */
export type Size = {columns: number; rows: number};

/** Panes of the peer's screen, and of the server's dashboard. */
export type PeerPaneId = 'search' | 'transfers' | 'peers' | 'log' | 'shares';
export type ServerPaneId = 'requests' | 'members' | 'rates';
export type PaneId = PeerPaneId | ServerPaneId;

/** Panes in the order of their numbers. */
export const peerPanes: readonly PeerPaneId[] = ['search', 'transfers', 'peers', 'log', 'shares'];
export const serverPanes: readonly ServerPaneId[] = ['requests', 'members', 'rates'];

/** Lists with a cursor. `browse` lies over `peers` while a peer's tree is open. */
export type ListId = 'search' | 'transfers' | 'peers' | 'shares' | 'browse' | 'members';

/** Where a list stands: the row under the cursor, by key so that it stays with its row when others move. */
export type ListState = {key?: string; index: number /** First visible row. */; top: number};

/** A list of lines that follows its end unless it was scrolled; then `frozen` holds the lines as they were. */
export type TailState<T> = {
	frozen?: readonly T[] /** Lines above the end, when frozen. */;
	back: number;
	filter: string;
};

export type SortKey = 'best' | 'name' | 'size' | 'peers';

/** The search: what is typed, what came back, which peers are marked. */
export type SearchState = {
	query: string;
	/** The query that the hits belong to. */
	answered: string;
	/** Grows with each question, so that a late answer to an older one is dropped. */
	asked: number;
	busy: boolean;
	hits: readonly ContentSources[];
	total: number;
	/** `total` is a lower bound. */
	more: boolean;
	cursor?: string;
	ms: number;
	error?: string;
	sort: SortKey;
	reverse: boolean;
	/** The peer under the cursor among those that hold the file, and whether a person moved it there. */
	peerIndex: number;
	peerMoved: boolean;
	/** Marked peer IDs by content ID. */
	marks: Readonly<Record<string, readonly string[]>>;
};

/** A peer's tree, open at one folder. */
export type BrowseState = {
	peer: string;
	name: string;
	/** `''` is the list of shares. */
	path: string;
	entries: readonly BrowseEntry[];
	cursor?: string;
	busy: boolean;
	error?: string;
	asked: number;
};

/** What lies over the panes and takes all keys. */
export type Overlay =
	| {kind: 'help'; top: number}
	| {kind: 'palette'; query: string; index: number}
	| {
			kind: 'get';
			hit: ContentSources;
			cursor: number;
			chosen: readonly string[];
			rtt: Readonly<Record<string, number>>;
			busy: boolean;
			error?: string;
	  }
	| {kind: 'confirm'; title: string; lines: readonly string[]; yes: string; no: string; command: ConfirmedCommand}
	| {kind: 'share'; value: string; error?: string; busy: boolean}
	| {kind: 'transfer'; key: string; details?: TransferDetails}
	| {
			kind: 'settings';
			index: number /** What is typed for the chosen one, while it is. */;
			value: string;
			error?: string;
	  };

/** What a confirmation does when it is answered with yes. */
export type ConfirmedCommand =
	| {do: 'quit'}
	| {do: 'cancel'; key: string}
	| {do: 'unshare'; name: string}
	| {do: 'audience'; name: string; peers: string[]}
	| {do: 'kick'; peer: string; name: string};

/** Which field takes what is typed. */
export type TextMode = 'search' | 'filter' | 'palette' | 'share' | 'form' | 'settings';

export type ToastKind = 'info' | 'ok' | 'warn' | 'error';
export type Toast = {
	id: number;
	kind: ToastKind;
	text: string;
	/** Worth a bell: a download ended. */
	isNews?: boolean;
};

/** Which screen fills the terminal. */
export type ScreenId = 'menu' | 'form' | 'starting' | 'peer' | 'server' | 'stopping';

export type UiState = {
	size: Size;
	screen: ScreenId;
	/** The key of the start menu's entry that is chosen. */
	menu: string;
	/** Index servers of the local network, as they come and go. */
	found: readonly FoundServer[];
	form?: FormState;
	/** What is being started, in words. */
	starting?: string;
	focus: {pane: PaneId; textMode?: TextMode; overlay?: Overlay};
	/** Characters (UTF-16) right of the cursor in the text field that is open: typing leaves them alone. */
	behind: number;
	zoom: boolean;
	/** Which of the two panes that share a place in the split layout is there. */
	corner: 'peers' | 'shares';
	lists: Readonly<Record<ListId, ListState>>;
	search: SearchState;
	browse?: BrowseState;
	/** Which transfers are listed. */
	transferFilter: TransferFilter;
	settings: Settings;
	/** Settings that take effect at the next start only, and wait for it. */
	pendingSettings: readonly SettingId[];
	/** Grows with each folder that is opened, so that an answer for one that was left is dropped. */
	folders: number;
	log: TailState<LogLine> & {level: LogLevel};
	requests: TailState<RequestRow>;
	toast?: Toast;
	lastToast: number;
	/** Grows when the whole screen is to be drawn again. */
	repaints: number;
	peer?: PeerSnapshot;
	server?: ServerSnapshot;
};

const top: ListState = {index: 0, top: 0};

/** The state before anything happened. */
export function initialState(size: Size): UiState {
	return {
		size,
		screen: 'menu',
		menu: 'server',
		found: [],
		focus: {pane: 'search'},
		behind: 0,
		zoom: false,
		corner: 'peers',
		lists: {search: top, transfers: top, peers: top, shares: top, browse: top, members: top},
		search: {
			query: '',
			answered: '',
			asked: 0,
			busy: false,
			hits: [],
			total: 0,
			more: false,
			ms: 0,
			sort: 'best',
			reverse: false,
			peerIndex: 0,
			peerMoved: false,
			marks: {},
		},
		log: {back: 0, filter: '', level: 'info'},
		requests: {back: 0, filter: ''},
		folders: 0,
		transferFilter: 'all',
		settings: defaultSettings,
		pendingSettings: [],
		lastToast: 0,
		repaints: 0,
	};
}
