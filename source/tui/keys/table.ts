// The one table of keys. The dispatcher, the footer's hints and the help are made from it.
import type {CommandId} from './commands.ts';

/** Where a binding holds: everywhere, in lists, in one pane, in a text field, in one overlay or screen. */
export type Context =
	| 'base'
	| 'global'
	| 'list'
	| 'search'
	| 'transfers'
	| 'peers'
	| 'browse'
	| 'shares'
	| 'tail'
	| 'log'
	| 'requests'
	| 'members'
	| 'text'
	| 'palette'
	| 'get'
	| 'confirm'
	| 'help'
	| 'share'
	| 'transfer'
	| 'settings'
	| 'settingsText'
	| 'field'
	| 'server'
	| 'menu'
	| 'form'
	| 'starting';

export type Binding = {
	where: Context;
	keys: readonly string[];
	command: CommandId;
	/** For the help. */
	label: string;
	/** For the footer, where the binding belongs there. */
	hint?: string;
	/** How the keys are written, where that is not simply their names. `↑↓` and the like become ASCII where needed. */
	sign?: string;
};

const bind = (
	where: Context,
	keys: string,
	command: CommandId,
	label: string,
	hint?: string,
	sign?: string,
): Binding => ({
	where,
	keys: keys.split(' '),
	command,
	label,
	...(hint !== undefined && {hint}),
	...(sign !== undefined && {sign}),
});

/** Every key of the program. Within a context the order is that of the footer. */
export const bindings: readonly Binding[] = [
	bind('search', '/', 'search.edit', 'search', 'search'),
	bind('search', 'up k', 'move.up', 'choose file', 'file', '↑↓'),
	bind('search', 'left h', 'search.peerLeft', 'choose peer ID', 'peer', '←→'),
	bind('search', 'right l', 'search.peerRight', 'choose peer ID', undefined, '←→'),
	bind('search', 'space', 'search.mark', 'mark peer', 'mark'),
	bind('search', 'enter', 'get.open', 'choose sources', 'get…'),
	bind('search', 'd', 'get.now', 'get now', 'get now'),
	bind('search', 'b', 'search.browse', 'browse that peer', 'browse'),
	bind('search', 's', 'search.sort', 'sort', 'sort'),
	bind('search', 'y', 'search.copy', 'copy its link'),
	bind('search', 'S', 'search.reverse', 'reverse order'),

	bind('transfers', 'p space', 'transfer.pause', 'pause / resume', 'pause', 'p'),
	bind('transfers', 'r', 'transfer.retry', 'retry', 'retry'),
	bind('transfers', 'x', 'transfer.cancel', 'cancel (asks)', 'cancel'),
	bind('transfers', 'enter', 'transfer.details', 'details', 'details'),
	bind('transfers', 'J', 'transfer.later', 'move in queue', 'reorder', 'J K'),
	bind('transfers', 'K', 'transfer.sooner', 'move in queue', undefined, 'J K'),
	bind('transfers', 'f', 'transfer.filter', 'filter: unfinished, down, up…', 'filter'),
	bind('transfers', 'o', 'transfer.place', 'show in folder', 'folder'),

	bind('browse', 'enter right l', 'browse.enter', 'open folder, get file', 'open', '⏎'),
	bind('browse', 'd', 'browse.get', 'get file or folder', 'get'),
	bind('browse', 'backspace left h', 'browse.up', 'up one folder', 'up', '←'),
	bind('browse', 'escape', 'browse.close', 'back to the peers', 'back'),
	bind('peers', 'enter', 'peers.browse', 'browse this peer', 'browse'),
	bind('peers', 'y', 'peers.copy', 'copy peer ID', 'copy ID'),
	bind('peers', 's', 'share.for', 'give it the chosen share'),

	bind('shares', 'a', 'share.add', 'add a folder', 'add folder'),
	bind('shares', 'r', 'share.rescan', 'look through again', 'rescan'),
	bind('shares', 'x', 'share.remove', 'unshare (asks)', 'unshare'),
	bind('shares', 'o', 'share.off', 'off / for everybody'),

	bind('log', '/', 'tail.filter', 'filter', 'filter'),
	bind('log', 'f', 'log.level', 'log level', 'level'),
	bind('requests', '/', 'tail.filter', 'filter', 'filter'),
	bind('members', 'k', 'members.kick', 'kick peer (asks)', 'kick'),
	bind('members', 'y', 'members.copy', 'copy peer ID', 'copy ID'),
	bind('server', 'e', 'server.export', 'export peers as JSON, CSV', 'export'),
	bind('tail', 'space', 'tail.pause', 'pause / go on', 'pause'),
	bind('tail', 'G end', 'tail.follow', 'follow the end', 'follow', 'G'),

	bind('list', 'up k', 'move.up', 'line', undefined, '↑↓ j k'),
	bind('list', 'down j', 'move.down', 'line', undefined, '↑↓ j k'),
	bind('list', 'pageup ctrl+u', 'move.pageUp', 'page', undefined, 'pgup pgdn ^u ^d'),
	bind('list', 'pagedown ctrl+d', 'move.pageDown', 'page', undefined, 'pgup pgdn ^u ^d'),
	bind('list', 'g home', 'move.first', 'first / last', undefined, 'g G'),
	bind('list', 'G end', 'move.last', 'first / last', undefined, 'g G'),

	bind('global', 'z', 'view.zoom', 'zoom pane on / off', 'zoom'),
	bind('global', '1', 'pane.1', 'jump to pane', 'pane', '1-5'),
	bind('global', '2', 'pane.2', 'jump to pane', undefined, '1-5'),
	bind('global', '3', 'pane.3', 'jump to pane', undefined, '1-5'),
	bind('global', '4', 'pane.4', 'jump to pane', undefined, '1-5'),
	bind('global', '5', 'pane.5', 'jump to pane', undefined, '1-5'),
	bind('global', 'tab', 'pane.next', 'next / previous pane', undefined, 'tab S-tab'),
	bind('global', 'shift+tab', 'pane.previous', 'next / previous pane', undefined, 'tab S-tab'),
	bind('global', '/', 'search.edit', 'search or filter here', undefined, '/'),
	bind('global', ':', 'palette.open', 'command palette', 'cmd'),
	bind('global', ',', 'settings.open', 'settings'),
	bind('global', '?', 'help.open', 'this help', 'help'),
	bind('global', 'escape', 'view.back', 'back, close, clear', undefined, 'esc'),
	bind('global', 'q', 'app.quit', 'quit (asks when busy)', 'quit', 'q'),
	bind('base', 'ctrl+c', 'app.quitNow', 'quit at once', undefined, '^c'),
	bind('base', 'ctrl+l', 'view.repaint', 'draw everything again', undefined, '^l'),
	bind('base', 'ctrl+z', 'app.suspend', 'suspend (fg returns)', undefined, '^z'),

	bind('text', 'enter', 'text.done', 'go to the results', 'results'),
	bind('text', 'up', 'move.up', 'file', 'file', '↑↓'),
	bind('text', 'down', 'move.down', 'file'),
	bind('text', 'pageup', 'move.pageUp', 'page'),
	bind('text', 'pagedown', 'move.pageDown', 'page'),
	bind('text', 'ctrl+u', 'text.clear', 'clear', 'clear', '^u'),
	bind('text', 'tab', 'pane.next', 'next pane'),
	bind('text', 'shift+tab', 'pane.previous', 'previous pane'),
	bind('text', 'escape', 'text.leave', 'back', 'back', 'esc'),

	bind('field', 'left ctrl+b', 'text.left', 'left'),
	bind('field', 'right ctrl+f', 'text.right', 'right'),
	bind('field', 'home ctrl+a', 'text.home', 'start', undefined, 'home end'),
	bind('field', 'end ctrl+e', 'text.end', 'end'),
	bind('field', 'backspace', 'text.backspace', 'delete left'),
	bind('field', 'delete ctrl+d', 'text.delete', 'delete right'),
	bind('field', 'ctrl+w alt+backspace', 'text.word', 'delete word'),

	bind('settings', 'up k', 'settings.up', 'choose', 'choose', '↑↓'),
	bind('settings', 'down j', 'settings.down', 'choose'),
	bind('settings', 'left h', 'settings.less', 'change', 'change', '←→'),
	bind('settings', 'right l space', 'settings.more', 'change'),
	bind('settings', 'enter', 'settings.enter', 'type a value', 'type'),
	bind('settings', 'escape q ,', 'overlay.close', 'close', 'close', 'esc'),
	bind('settingsText', 'enter', 'settings.commit', 'take it', 'take it'),
	bind('settingsText', 'ctrl+u', 'text.clear', 'clear', 'clear', '^u'),
	bind('settingsText', 'escape', 'settings.leave', 'keep the old one', 'back', 'esc'),

	bind('palette', 'up', 'palette.up', 'choose', 'choose', '↑↓'),
	bind('palette', 'down', 'palette.down', 'choose'),
	bind('palette', 'enter', 'palette.run', 'run', 'run'),
	bind('palette', 'ctrl+u', 'text.clear', 'clear'),
	bind('palette', 'escape', 'overlay.close', 'close', 'close', 'esc'),

	bind('get', 'up k', 'get.up', 'choose', undefined, '↑↓'),
	bind('get', 'down j', 'get.down', 'choose'),
	bind('get', 'enter', 'get.start', 'start', 'start'),
	bind('get', 'space', 'get.toggle', 'toggle', 'toggle'),
	bind('get', 'a', 'get.all', 'all / none', 'all/none'),
	bind('get', 'escape q', 'overlay.close', 'cancel', 'cancel', 'esc'),

	bind('confirm', 'y', 'confirm.yes', 'yes', 'yes'),
	bind('confirm', 'n escape q', 'overlay.close', 'no', 'no', 'n'),

	bind('help', 'up k', 'move.up', 'scroll', 'scroll', '↑↓'),
	bind('help', 'down j', 'move.down', 'scroll'),
	bind('help', 'pageup ctrl+u', 'move.pageUp', 'page'),
	bind('help', 'pagedown ctrl+d space', 'move.pageDown', 'page'),
	bind('help', 'g home', 'move.first', 'first'),
	bind('help', 'G end', 'move.last', 'last'),
	bind('help', 'escape ? q enter', 'overlay.close', 'close', 'close', 'esc'),

	bind('share', 'enter', 'share.commit', 'share it', 'share it'),
	bind('share', 'ctrl+u', 'text.clear', 'clear', 'clear', '^u'),
	bind('share', 'escape', 'overlay.close', 'cancel', 'cancel', 'esc'),

	bind('transfer', 'p space', 'transfer.pause', 'pause', 'pause', 'p'),
	bind('transfer', 'r', 'transfer.retry', 'retry', 'retry'),
	bind('transfer', 'x', 'transfer.cancel', 'cancel', 'cancel'),
	bind('transfer', 'escape enter q', 'overlay.close', 'close', 'close', 'esc'),

	bind('menu', 'q escape', 'app.quit', 'quit', 'quit', 'q'),
	bind('form', 'enter', 'form.enter', 'next field, then start', 'next / start'),
	bind('form', 'down tab', 'form.next', 'next field', 'field', '↑↓'),
	bind('form', 'up shift+tab', 'form.previous', 'field above'),
	bind('form', 'ctrl+n', 'form.found', 'next server of this network', 'next found', '^n'),
	bind('form', 'ctrl+u', 'text.clear', 'clear', 'clear', '^u'),
	bind('form', 'escape', 'form.back', 'back', 'back', 'esc'),
	bind('starting', 'escape q', 'app.quit', 'quit', 'quit', 'q'),
];
