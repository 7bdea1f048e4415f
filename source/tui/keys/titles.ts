// How commands are called in the palette. A command without a title is not offered there.
import type {CommandId} from './commands.ts';

/** Titles by command. */
export const commandTitles: Partial<Record<CommandId, string>> = {
	'search.mark': 'mark the chosen peer',
	'search.reverse': 'reverse the order of results',
	'share.add': 'add a shared folder',
	'tail.filter': 'filter lines',
	'tail.pause': 'pause or follow',
	'tail.follow': 'follow the newest lines',
	'log.level': 'log level',
	'view.zoom': 'zoom pane',
	'help.open': 'help',
	'search.browse': 'browse the chosen peer',
	'get.open': 'choose sources and get',
	'get.now': 'get the chosen file now',
	'transfer.pause': 'pause or resume',
	'transfer.retry': 'retry',
	'transfer.cancel': 'cancel download',
	'transfer.place': 'show where the file lies',
	'peers.browse': 'browse the chosen peer',
	'browse.get': 'get the chosen file',
	'share.rescan': 'look through a share again',
	'share.remove': 'stop sharing a folder',
	'search.edit': 'search files',
	'search.sort': 'sort results by best, name, size, peers',
	'transfer.details': 'details of a transfer',
	'peers.copy': 'copy peer ID',
	'members.copy': 'copy peer ID',
	'view.repaint': 'draw everything again',
	'app.quit': 'quit',
	'app.suspend': 'suspend',
};
