// The start menu: what it offers, the index servers among it that were found on the local network.

/** An index server that announces itself. Anybody can announce anything: connecting shows who it is. */
export type FoundServer = {
	/** HOST:PORT. */
	address: string;
	name: string;
	/** Joining needs an invite link. */
	private: boolean;
};

/** An entry of the start menu. */
export type MenuEntry = {
	/** Stays the same while others come and go. */
	key: string;
	label: string;
	/** What it is about. */
	about: string;
	choice: MenuChoice;
};

export type MenuChoice = {do: 'server' | 'peer' | 'demo' | 'quit'} | {do: 'join'; server: FoundServer};

const before: readonly MenuEntry[] = [
	{key: 'server', label: 'Run server', about: 'index of peers and files', choice: {do: 'server'}},
	{key: 'peer', label: 'Run peer', about: 'search, share, transfer', choice: {do: 'peer'}},
];
const after: readonly MenuEntry[] = [
	{key: 'demo', label: 'Try the demo', about: 'a server and peers on this machine', choice: {do: 'demo'}},
	{key: 'quit', label: 'Quit', about: '', choice: {do: 'quit'}},
];

/** The entries from top to bottom, with at most `most` found servers. */
export function menuEntries(found: readonly FoundServer[], most: number): readonly MenuEntry[] {
	const joins = found.slice(0, Math.max(0, most)).map(
		(server): MenuEntry => ({
			key: `join ${server.address}`,
			label: `Join ${server.name || server.address}`,
			about: `${server.address}${server.private ? ', by invite' : ''}`,
			choice: {do: 'join', server},
		}),
	);
	return [...before, ...joins, ...after];
}

/** How many found servers a menu has room for in a terminal of so many rows. */
export function foundRoom(rows: number): number {
	return Math.min(5, rows - 8);
}
