// Everything that can change the state. Keys become actions through tui/keys; answers of the engine through the controller.
import type {BrowseResponse, ContentSources, SearchResponse} from '../api/schemas.ts';
import type {PeerSnapshot, ServerSnapshot, TransferDetails, TransferFilter} from '../engine/messages.ts';
import type {FormKind, LaunchDefaults} from './form.ts';
import type {FoundServer} from './menu.ts';
import type {SettingEntry, Settings} from './settings.ts';
import type {ListId, Overlay, PaneId, ScreenId, Size, TextMode, ToastKind} from './state.ts';

/** How far a list moves. */
export type Step = 'up' | 'down' | 'pageUp' | 'pageDown' | 'first' | 'last';

export type Action =
	| {type: 'resize'; size: Size}
	| {type: 'repaint'}
	| {type: 'snapshot'; snapshot: PeerSnapshot | ServerSnapshot}
	| {type: 'screen'; screen: ScreenId; starting?: string}
	| {type: 'menu'; key: string}
	/** The index servers that announce themselves on the local network now. */
	| {type: 'found'; servers: readonly FoundServer[]}
	// forms
	| {type: 'form/open'; form: FormKind; defaults: LaunchDefaults; note?: string}
	| {type: 'form/value'; value: string}
	| {type: 'form/move'; by: number}
	/** The next of the found servers, or that one, into the field for the server. */
	| {type: 'form/found'; at?: number}
	| {type: 'form/busy'}
	| {type: 'form/failed'; field?: string; message: string}
	// focus
	| {type: 'pane'; pane: PaneId}
	| {type: 'pane/next'; by: 1 | -1}
	| {type: 'zoom'}
	| {type: 'text'; mode: TextMode | undefined}
	| {type: 'overlay'; overlay: Overlay | undefined}
	| {type: 'overlay/scroll'; by: number}
	| {type: 'move'; step: Step}
	/** A move in a pane that need not be focused, by the wheel. */
	| {type: 'wheel'; pane: PaneId; step: Step; times: number}
	| {type: 'cursor'; list: ListId; index: number}
	/** Where the cursor of the open text field stands: characters right of it. */
	| {type: 'behind'; behind: number}
	| {type: 'toast'; kind: ToastKind; text: string; isNews?: boolean}
	| {type: 'toast/gone'; id: number}
	// search
	| {type: 'search/query'; query: string}
	| {type: 'search/asked'}
	| {type: 'search/answer'; asked: number; query: string; answer: SearchResponse & {ms: number}}
	| {type: 'search/page'; asked: number; answer: SearchResponse}
	| {type: 'search/failed'; asked: number; query: string; message: string}
	| {type: 'search/clear'}
	| {type: 'search/peer'; by: number}
	| {type: 'search/mark'}
	| {type: 'search/sort'; reverse: boolean}
	// the get dialog
	| {type: 'get/move'; by: number}
	| {type: 'get/toggle'}
	| {type: 'get/all'}
	| {
			type: 'get/sources';
			content: string;
			hit?: ContentSources;
			rtt?: Record<string, number>;
			error?: string;
			busy: boolean;
	  }
	| {type: 'transfer/details'; key: string; details: TransferDetails}
	/** The next filter, or that one. */
	| {type: 'transfers/filter'; filter?: TransferFilter}
	// settings
	| {type: 'settings/loaded'; settings: Partial<Settings>}
	| {type: 'settings/changed'; entry: SettingEntry; value: Settings[keyof Settings]}
	| {type: 'settings/move'; by: number}
	| {type: 'settings/type'}
	| {type: 'settings/value'; value: string}
	| {type: 'settings/failed'; message: string}
	// palette and add-share
	| {type: 'palette/query'; query: string}
	| {type: 'palette/move'; by: number; count: number}
	| {type: 'share/value'; value: string}
	| {type: 'share/state'; busy: boolean; error?: string}
	// browsing a peer
	| {type: 'browse/open'; peer: string; name: string; path: string}
	| {type: 'browse/answer'; asked: number; answer: BrowseResponse; append: boolean}
	| {type: 'browse/failed'; asked: number; message: string}
	| {type: 'browse/close'}
	// log and requests
	| {type: 'tail/pause'}
	| {type: 'tail/follow'}
	| {type: 'tail/filter'; filter: string}
	| {type: 'log/level'};
