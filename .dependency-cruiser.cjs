// The floors of the house (docs/architecture.md): imports go down only, rooms on one floor do not know each other.
const floors = [
	['core'],
	['content', 'identity', 'api', 'config'],
	['net'],
	['index', 'share', 'upload', 'download', 'dht'],
	['engine'],
	['store'],
	['headless', 'tui'],
	['cli'],
];

const upward = floors.flatMap((rooms, floor) =>
	rooms.map(room => ({
		name: `floor-${floor}-${room}`,
		comment: `source/${room} may import only from the floors below it`,
		severity: 'error',
		from: {path: `^source/${room}/`},
		to: {
			path: '^source/',
			pathNot: [
				`^source/${room}/`,
				...floors
					.slice(0, floor)
					.flat()
					.map(below => `^source/${below}/`),
			],
		},
	})),
);

module.exports = {
	forbidden: [
		...upward,
		{
			name: 'no-cycles',
			severity: 'error',
			from: {},
			to: {circular: true, viaOnly: {dependencyTypesNot: ['type-only']}},
		},
		{
			name: 'react-under-tui-alone',
			severity: 'error',
			from: {path: '^source/', pathNot: '^source/tui/'},
			to: {path: 'node_modules/(react|ink|ink-[^/]+)/'},
		},
		{name: 'resolvable', severity: 'error', from: {pathNot: '^source/p2p-tui.ts'}, to: {couldNotResolve: true}},
	],
	options: {
		doNotFollow: {path: 'node_modules'},
		parser: 'swc',
		tsPreCompilationDeps: true,
		enhancedResolveOptions: {exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types']},
	},
};
